"""Gatehouse with a provider that posts its answer and may change its keys at any time.

Of the providers that post it (`response_mode=form_post`), all have addresses that tests cannot
reach. `uvicorn --factory` runs it.
"""

from typing import cast

from fastapi import FastAPI

from api.app import create_app as create_gatehouse
from domain.providers import Provider, ProviderConfig, cached
from settings import load_settings
from tests.identity_provider import provider_with


def create_app() -> FastAPI:
    # Keys that a token does not match are read again, however short ago that was done.
    cached.RENEWAL_INTERVAL = 0.0
    settings = load_settings()
    app = create_gatehouse(settings)
    found = settings.provider_settings["work"]
    secret = found.client_secret
    config = ProviderConfig(
        name="work",
        client_id=found.client_id,
        client_secret=secret.get_secret_value() if secret else None,
        issuer=found.issuer,
    )
    providers = cast(dict[str, Provider], app.state.gatehouse.services.providers)
    providers["work"] = provider_with(config, form_post=True)
    return app
