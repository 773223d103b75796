"""The configuration of a provider."""

from dataclasses import dataclass, field


class InvalidProvider(ValueError):
    """A configuration that cannot work. The message says why, and quotes no secret."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ProviderConfig:
    """A provider as an operator has registered Gatehouse with it.

    The names apple, github, google and microsoft stand for these providers; every other name needs
    an issuer. The issuer of microsoft is `https://login.microsoftonline.com/<tenant>/v2.0`, and
    that of github the address of a GitHub Enterprise Server. Apple has a team, and a private key
    with its id, in place of a client secret.

    ``authentication`` is `client_secret_basic` or `client_secret_post`. By default the metadata
    decide, which do not say how one client is registered.
    """

    name: str
    client_id: str
    client_secret: str | None = field(default=None, repr=False)
    issuer: str | None = None
    label: str | None = None
    scopes: str | None = None
    authentication: str | None = None
    team_id: str | None = None
    key_id: str | None = None
    private_key: str | None = field(default=None, repr=False)
