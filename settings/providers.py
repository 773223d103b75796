"""The settings of identity providers: variables such as PROVIDER_GOOGLE_CLIENT_ID, for each name in
PROVIDERS."""

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ConfigDict, SecretStr

from settings.types import BrandName, holds_secret

_PREFIX = "provider_"
_VARIABLE = re.compile(rf"{_PREFIX}[a-z0-9]+_(?P<field>\w+)")


class ProviderSettings(BaseModel):
    """The settings of one provider. `domain.providers` knows which of them it needs."""

    # A mistyped name would be ignored otherwise.
    model_config = ConfigDict(extra="forbid", hide_input_in_errors=True)

    client_id: str
    client_secret: SecretStr | None = None
    # As it is: the provider's metadata and tokens have it letter by letter, a final slash included.
    issuer: str | None = None
    # It stands on buttons and in the subject of a mail.
    label: BrandName | None = None
    scopes: str | None = None
    authentication: str | None = None
    team_id: str | None = None
    key_id: str | None = None
    private_key_file: Path | None = None


def collect(variables: Mapping[str, Any]) -> dict[str, dict[str, Any]]:
    """Return the settings of each provider by its name, out of all variables."""
    names = [name.strip() for name in str(variables.get("providers") or "").split(",")]
    return {
        name: {
            variable.removeprefix(f"{_PREFIX}{name}_"): value
            for variable, value in variables.items()
            if variable.startswith(f"{_PREFIX}{name}_")
        }
        for name in names
        if name
    }


def is_secret_of_provider(variable: str) -> bool:
    """Return whether a variable is a secret, such as provider_google_client_secret."""
    parts = _VARIABLE.fullmatch(variable)
    field = ProviderSettings.model_fields.get(parts["field"]) if parts else None
    return field is not None and holds_secret(field.annotation)
