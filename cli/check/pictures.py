"""Check that the server can store pictures, and whether others can change them."""

import asyncio
import os
import stat
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

from sqlalchemy import make_url

from api.picture_storage import create_store
from api.signing_keys.files import others_may
from cli.check.findings import Finding, ok, problem, warning
from cli.check.network import is_loopback
from domain.pictures.storage import PicturesUnavailable
from settings import Settings

_PICTURES = "PICTURES"


def pictures(settings: Settings) -> Iterator[Finding]:
    if not settings.pictures_are_on:
        yield ok(_PICTURES, "off: users cannot upload a picture")
    elif settings.pictures_bucket is None:
        yield _folder(Path(settings.pictures).absolute(), settings)
    else:
        yield asyncio.run(_bucket(settings))
        yield from _endpoint(settings.pictures_endpoint)


def _folder(folder: Path, settings: Settings) -> Finding:
    """Check a folder, or the one that it will be made in. Nothing is made or written."""
    existing = next((each for each in (folder, *folder.parents) if each.exists()), folder)
    if not existing.is_dir():
        return problem(_PICTURES, f"{existing} is not a folder")
    if not os.access(existing, os.W_OK | os.X_OK):
        return problem(_PICTURES, f"this user may not write to {existing}")
    if folder.exists() and others_may(stat.S_IWOTH, folder):
        return problem(
            _PICTURES, f"other users of this machine can change {folder}: run chmod o-w {folder}"
        )
    will = "" if folder.exists() else ", which will be made"
    url = make_url(settings.database_url.get_secret_value())
    shared = "" if url.get_backend_name() == "sqlite" else "; all machines must share it"
    return ok(_PICTURES, f"{folder}{will}{shared}")


async def _bucket(settings: Settings) -> Finding:
    store = create_store(settings)
    assert store is not None
    try:
        await store.check()
    except PicturesUnavailable as error:
        return problem(_PICTURES, f"the list of {settings.pictures} cannot be read: {error.reason}")
    return ok(
        _PICTURES,
        f"{settings.pictures}, whose list can be read; nothing was written, so see that "
        "the keys may put, get and delete objects",
    )


def _endpoint(endpoint: str | None) -> Iterator[Finding]:
    parts = urlsplit(endpoint or "")
    if parts.scheme == "http" and not is_loopback(parts.hostname or ""):
        yield warning("PICTURES_ENDPOINT", f"is {endpoint}: pictures cross the network without TLS")
