"""The identity providers of the settings."""

from pathlib import Path

from domain.providers import (
    MAX_PROVIDERS,
    InvalidProvider,
    Provider,
    ProviderConfig,
    build_provider,
)
from settings import Settings
from settings.files import open_regular
from settings.providers import ProviderSettings


def create_providers(settings: Settings) -> dict[str, Provider]:
    """Return the providers by their names. Raises ValueError, with one line."""
    if len(settings.providers) > MAX_PROVIDERS:
        raise ValueError(f"PROVIDERS must be at most {MAX_PROVIDERS} names")
    return {name: _create(name, settings.provider_settings[name]) for name in settings.providers}


def redirect_uri(issuer: str, name: str) -> str:
    """Return the address to register with a provider, where it sends the browser back to."""
    return f"{issuer}/sign-in/{name}/callback"


def _text_of(file: Path) -> str:
    with open_regular(file) as stream:
        return stream.read().decode()


def _create(name: str, found: ProviderSettings) -> Provider:
    variable = f"PROVIDER_{name.upper()}"
    try:
        private_key = _text_of(found.private_key_file) if found.private_key_file else None
    except (OSError, UnicodeDecodeError):
        raise ValueError(f"{variable}_PRIVATE_KEY_FILE cannot be read") from None
    secret = found.client_secret
    try:
        return build_provider(
            ProviderConfig(
                name=name,
                client_id=found.client_id,
                client_secret=secret.get_secret_value() if secret else None,
                issuer=found.issuer,
                label=found.label,
                scopes=found.scopes,
                authentication=found.authentication,
                team_id=found.team_id,
                key_id=found.key_id,
                private_key=private_key,
            )
        )
    except InvalidProvider as error:
        raise ValueError(f"{variable}_*: {error}") from None
