"""The types of settings that have a rule of their own.

Each message continues the line that begins with the name of the setting: "PUBLIC_URL must be ...".
"""

import re
from collections.abc import Callable
from ipaddress import ip_network
from typing import Annotated, TypeVar

from pydantic import AfterValidator, BeforeValidator, SecretStr
from pydantic_settings import NoDecode

T = TypeVar("T")

# 256 bits: the minimum for HS256 (RFC 7518 section 3.2), and too many to guess.
_SECRET_BYTES = 32

# RFC 6454 section 6.2: exactly what a browser sends as `Origin`, so no path and no final slash.
_ORIGIN = re.compile(r"https?://[A-Za-z0-9.-]+(?::\d+)?|https?://\[[0-9A-Fa-f:]+\](?::\d+)?")

# Without a final slash, since the paths of the routes follow it, and without dot segments.
_PATH = re.compile(r"(?:/[A-Za-z0-9_~-][A-Za-z0-9._~-]*)*")

_REDIS_URL = re.compile(r"memory://|rediss?://[^/?#]+(/\d*)?(\?.*)?")


def _split_at_commas(value: object) -> object:
    if isinstance(value, str):
        return tuple(text.strip() for text in value.split(",") if text.strip())
    return value


def _check(is_valid: Callable[[T], bool], message: str) -> AfterValidator:
    def check(value: T) -> T:
        if not is_valid(value):
            raise ValueError(message)
        return value

    return AfterValidator(check)


def _check_each(is_valid: Callable[[T], bool], message: str) -> AfterValidator:
    def all_valid(values: tuple[T, ...]) -> bool:
        return all(map(is_valid, values))

    return _check(all_valid, message)


def _is_long_enough(secret: SecretStr) -> bool:
    try:
        return len(secret.get_secret_value().encode()) >= _SECRET_BYTES
    except UnicodeEncodeError:
        return False  # bytes from the environment that are not UTF-8


def _is_origin(text: str) -> bool:
    return _ORIGIN.fullmatch(text) is not None


def _is_public_url(text: str) -> bool:
    origin = _ORIGIN.match(text)
    return origin is not None and _PATH.fullmatch(text, origin.end()) is not None


def _is_origin_or_any(text: str) -> bool:
    return text == "*" or _is_origin(text)


def _is_network(text: str) -> bool:
    try:
        ip_network(text)
    except ValueError:
        return False
    return True


def _is_redis_url(url: SecretStr) -> bool:
    return _REDIS_URL.fullmatch(url.get_secret_value()) is not None


# A list such as `a, b`. pydantic-settings would read it as JSON without NoDecode.
CommaSeparated = Annotated[tuple[T, ...], NoDecode, BeforeValidator(_split_at_commas)]

Secret = Annotated[
    SecretStr,
    _check(
        _is_long_enough,
        f"must have at least {_SECRET_BYTES} bytes; make one with `gatehouse secret` "
        "and put it into .env",
    ),
]

FormerSecrets = Annotated[
    CommaSeparated[SecretStr],
    _check_each(
        _is_long_enough,
        f"must be former secrets of at least {_SECRET_BYTES} bytes each, separated by commas",
    ),
]

# Hidden like a secret, because it may contain a password. `memory://` means without Redis.
RedisUrl = Annotated[
    SecretStr,
    _check(_is_redis_url, "must be memory:// or a URL such as redis://:password@host:6379/0"),
]

PublicUrl = Annotated[
    str,
    _check(
        _is_public_url,
        "must be an address such as https://accounts.example.com or https://example.com/accounts, "
        "without a final slash",
    ),
]

Networks = Annotated[
    CommaSeparated[str],
    _check_each(
        _is_network, "must be addresses or networks such as 10.0.0.0/8, separated by commas"
    ),
]

Origins = Annotated[
    CommaSeparated[str],
    _check_each(
        _is_origin_or_any,
        "must be origins such as https://app.example.com, separated by commas",
    ),
]
