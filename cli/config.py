"""`gatehouse config`: show the settings in force, and where each comes from."""

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import click
from pydantic import SecretStr

from cli.usage import examples
from cli.users.running import json_option, print_json
from settings import Settings, load_settings
from settings.variables import Source

MASK = "********"

# What follows from other settings where it has no value of its own.
_DERIVED: dict[str, Callable[[Settings], object]] = {
    "graphiql": lambda settings: settings.allows("graphiql"),
    "introspection": lambda settings: settings.allows("introspection"),
    "suggestions": lambda settings: settings.allows("suggestions"),
    "public_url": lambda settings: settings.issuer,
    "app_url": lambda settings: settings.links_url,
    "passkey_rp_id": lambda settings: settings.relying_party_id,
    "passkey_origins": lambda settings: settings.relying_party_origins,
    "log_format": lambda settings: "json" if settings.logs_json else "text",
}

# Without a user and a password, which may contain any of `:/?#@` by mistake: a URL with one of them
# elsewhere does not match, and is masked as a whole.
_HOST = r"(\[[0-9a-f:.%]+\]|[^\s/?#@:,\[\]]*)(:\d{1,5})?"
_URL = re.compile(
    rf"(?P<scheme>[a-z][a-z0-9+.-]*://)(?P<user>[^/?#@]*@)?(?P<place>{_HOST}(,{_HOST})*(/[^?#@]*)?)"
    r"(?P<query>\?[^#@]*)?",
    re.IGNORECASE,
)


@dataclass(frozen=True, slots=True)
class _Row:
    name: str
    value: Any
    source: Source | None


@click.command(epilog=examples("gatehouse config", "gatehouse config --json"))
@json_option
def config(as_json: bool) -> None:
    """Show the settings in force, and where each comes from.

    A setting comes from the environment, from .env, from the file of a secret, or is a default.
    Secrets are masked.
    """
    rows = list(_rows(load_settings()))
    if as_json:
        print_json({row.name: _object(row) for row in rows})
        return
    names, sources = (max(map(len, column)) for column in zip(*map(_columns, rows), strict=True))
    for row in rows:
        name, source = _columns(row)
        print(f"{name:<{names}}  {source:<{sources}}  {_text(row.value)}".rstrip())


def _rows(settings: Settings) -> Iterator[_Row]:
    for name in Settings.model_fields:
        if name not in ("provider_settings", "sources"):
            value = _DERIVED.get(name, lambda all_, name=name: getattr(all_, name))(settings)
            yield _Row(name.upper(), _masked(name, value), settings.sources.get(name))
    for provider in settings.providers:
        for name, value in settings.provider_settings[provider]:
            variable = f"provider_{provider}_{name}"
            if value is not None:
                yield _Row(variable.upper(), _masked(name, value), settings.sources.get(variable))


def _masked(name: str, value: object) -> object:
    if isinstance(value, tuple):
        return [_masked(name, one) for one in value]
    if isinstance(value, SecretStr):
        text = value.get_secret_value()
        return _masked_url(text) if name.endswith("_url") else MASK if text else ""
    return str(value) if isinstance(value, Path) else value


def _masked_url(url: str) -> str:
    """Return a URL without its user, its password and the values of its query."""
    parts = _URL.fullmatch(url)
    if parts is None:
        return MASK
    user = f"{MASK}@" if parts["user"] else ""
    query = f"?{MASK}" if parts["query"] else ""
    return f"{parts['scheme']}{user}{parts['place']}{query}"


def _columns(row: _Row) -> tuple[str, str]:
    if row.source is None:
        return row.name, "default"
    if row.source.file:
        return row.name, f"file {row.source.file}"
    # A name with the prefix wins over one without, which may be set as well.
    name = "" if row.source.variable == row.name else f" ({row.source.variable})"
    return row.name, f"{row.source.place}{name}"


def _object(row: _Row) -> dict[str, object]:
    source = row.source
    kind = "default" if source is None else "file" if source.file else source.place
    return {
        "value": row.value,
        "source": kind,
        "variable": source.variable if source else None,
        "file": source.file if source else None,
    }


def _text(value: object) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, list):
        return ", ".join(map(str, value))
    return "" if value is None else str(value)
