"""The types of settings that have a rule of their own.

Each message continues the line that begins with the name of the setting: "PUBLIC_URL must be ...".
"""

import re
from base64 import b64decode
from collections.abc import Callable
from ipaddress import IPv6Address, ip_address, ip_network
from pathlib import Path
from typing import Annotated, Any, TypeVar, cast, get_args
from urllib.parse import urlsplit

from pydantic import AfterValidator, BeforeValidator, SecretStr
from pydantic_settings import NoDecode

T = TypeVar("T")

# 256 bits: the minimum for HS256, and too many to guess.
_SECRET_BYTES = 32

# The size of the hash (RFC 7518 section 3.2).
_SIGNING_BYTES = {"HS384": 48, "HS512": 64}

# RFC 6454 section 6.2, with the final slash that people copy from the address bar. A page never has
# the scheme of a WebSocket.
_ORIGIN = re.compile(
    r"(?!wss?:)(?P<scheme>[a-z][a-z0-9+.-]*)://(?P<host>\[[0-9a-f:.]+\]|[^\s/?#@:,\[\]\\]+)(:(?P<port>\d{1,5}))?/?",
    re.IGNORECASE,
)
_ASCII_HOST = re.compile(r"[a-z0-9._-]+")
_DEFAULT_PORTS = {"http": 80, "https": 443}
_MAX_PORT = 65535

# RFC 9110 section 5.6.2.
_TOKEN = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")

# Without a final slash, since the paths of the routes follow it, and without dot segments.
_PATH = re.compile(r"(?:/[A-Za-z0-9_~-][A-Za-z0-9._~-]*)*")

# CSS Color 4 section 5.2, without transparency.
_HEX_COLOR = re.compile(r"#(?:[0-9a-fA-F]{3}|[0-9a-fA-F]{6})")

_MAX_BRAND_NAME_LENGTH = 50

_MAX_REDIRECT_ADDRESS_LENGTH = 2048

# A user name and a password come together, percent-encoded.
_MAIL_URL = re.compile(
    r"smtps?://([^\s/?#@:]+:[^\s/?#@:]+@)?(\[[0-9a-f:.]+\]|[a-z0-9._-]+)(:\d{1,5})?/?",
    re.IGNORECASE,
)

# RFC 5322 section 3.4, without quotes. The address is ASCII, which every mail server accepts.
_MAIL_ADDRESS = re.compile(
    r"""(?P<name>(?!\s)[^<>()[\]@,;:\\"]+ <)?[a-z0-9.!#$%&'*+/=?^_`{|}~-]+@[a-z0-9]([a-z0-9.-]*[a-z0-9])?(?(name)>)""",
    re.IGNORECASE | re.ASCII,
)

_MAX_WEBHOOKS = 20
_MAX_WEBHOOK_URL_LENGTH = 2048

# Standard Webhooks 1.0.0: of 24 to 64 bytes, in base64.
_WEBHOOK_SECRET = re.compile(r"whsec_[A-Za-z0-9+/]+={0,2}")
_WEBHOOK_SECRET_BYTES = range(24, 65)

_EVENT_PATTERN = re.compile(r"[a-z.*]+")

_HOOKS = re.compile(r"[A-Za-z_][\w.]*:[A-Za-z_]\w*")

# A bucket has the name of a host (Amazon S3, "General purpose bucket naming rules").
_BUCKET = re.compile(r"s3://[a-z0-9][a-z0-9.-]{1,61}[a-z0-9](/[A-Za-z0-9._/-]*)?")

# `domain.rate_limits` parses it.
_REDIS_URL = re.compile(
    r"memory://|(unix|(redis|valkey)s?(\+(unix|sentinel|cluster))?)://.+", re.IGNORECASE
)


def require_text(value: object) -> object:
    """Return any value of a setting. Raises ValueError for text that no file name, host name or
    database can contain: NUL, and bytes of the environment that are not UTF-8."""
    if isinstance(value, str) and ("\0" in value or not _is_unicode(value)):
        raise ValueError("must be text in UTF-8, without NUL")
    return value


def holds_secret(annotation: Any) -> bool:
    """Return whether values of a type are secrets, or contain some."""
    return annotation is SecretStr or any(map(holds_secret, get_args(annotation)))


def _is_unicode(text: str) -> bool:
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


def _split_at_commas(value: object) -> object:
    if isinstance(value, str):
        return tuple(text.strip() for text in value.split(",") if text.strip())
    return value


def _if_text(change: Callable[[str], str]) -> BeforeValidator:
    return BeforeValidator(lambda value: change(value) if isinstance(value, str) else value)


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


def _normalize(normal_form: Callable[[str], str | None], message: str) -> AfterValidator:
    """Replace a value by its normal form, or raise ValueError if it has none."""

    def normalize(value: str) -> str:
        normal = normal_form(value)
        if normal is None:
            raise ValueError(message)
        return normal

    return AfterValidator(normalize)


def _normalize_each(normal_form: Callable[[str], str | None], message: str) -> AfterValidator:
    def normalize(values: tuple[str, ...]) -> tuple[str, ...]:
        normal = tuple(normal_form(value) for value in values)
        if None in normal:
            raise ValueError(message)
        return cast(tuple[str, ...], normal)

    return AfterValidator(normalize)


def _is_long_enough(secret: SecretStr, size: int = _SECRET_BYTES) -> bool:
    return len(secret.get_secret_value().encode()) >= size


def require_size_for(algorithm: str | None, *secrets: SecretStr) -> None:
    """Raise ValueError for a secret that is shorter than the hash of the algorithm."""
    size = _SIGNING_BYTES.get(algorithm or "", _SECRET_BYTES)
    if not all(_is_long_enough(secret, size) for secret in secrets):
        raise ValueError(
            f"must have at least {size} bytes with ALGORITHM={algorithm}; make one with"
            " `gatehouse secret`"
        )


def _origin(text: str) -> str | None:
    """Return an origin exactly as browsers send it, or None if they never send it."""
    parts = _ORIGIN.fullmatch(text)
    host = _host_of_url(parts["host"].lower()) if parts else None
    if parts is None or host is None:
        return None
    scheme = parts["scheme"].lower()
    if parts["port"] is None or int(parts["port"]) == _DEFAULT_PORTS.get(scheme):
        return f"{scheme}://{host}"
    port = int(parts["port"])
    return f"{scheme}://{host}:{port}" if 0 < port <= _MAX_PORT else None


def _host_of_url(host: str) -> str | None:
    try:
        if host.startswith("["):
            return f"[{IPv6Address(host[1:-1])}]"
        encoded = host if host.isascii() else _to_ascii(host)
    except ValueError:
        return None
    return encoded if _ASCII_HOST.fullmatch(encoded) else None


def _to_ascii(host: str) -> str:
    # Imported here: its tables take time, and few hosts need them.
    import idna

    return idna.encode(host, uts46=True).decode()


def _origin_or_any(text: str) -> str | None:
    return text if text == "*" else _origin(text)


def _public_url(text: str) -> str | None:
    """Return an address with its origin as browsers send it and a path without a final slash."""
    scheme, empty, host, *path = text.split("/", 3) if text.count("/") > 1 else (text, "", "")
    origin = _origin(f"{scheme}/{empty}/{host}")
    path_text = f"/{path[0]}".rstrip("/") if path else ""
    if (
        origin is None
        or scheme.lower() not in ("http:", "https:")
        or not _PATH.fullmatch(path_text)
    ):
        return None
    return origin + path_text


def _service_url(text: str) -> str | None:
    """Return an address to send requests to, that no one else reads: by https, or on this machine.
    It has no final slash."""
    url = _public_url(text)
    parts = urlsplit(url or "")
    is_secure = parts.scheme == "https" or is_loopback(parts.hostname or "")
    return url if is_secure else None


def _without_brackets(host: str) -> str:
    """Return an IPv6 address as the system takes it, without the brackets of a URL."""
    return host[1:-1] if host.startswith("[") and host.endswith("]") else host


def domain_of(host: str) -> str | None:
    """Return the domain that pages of a host can have passkeys for, or None if it is an IP address.
    Pages on this machine have them as `localhost`."""
    if is_loopback(host):
        return "localhost"
    return _domain_name(host)


def is_loopback(host: str) -> bool:
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def _domain_name(text: str) -> str | None:
    """Return a domain as browsers know it: in lower case, in ASCII, and no IP address."""
    origin = _origin(f"https://{text}")
    domain = origin.removeprefix("https://") if origin else ""
    # Browsers take a host whose last label is a number for an IPv4 address.
    is_domain = re.fullmatch(r"[a-z0-9.-]*[a-z][a-z0-9-]*", domain)
    return domain if is_domain else None


def _email_domain(text: str) -> str | None:
    """Return the domain of emails, or ``*.`` and a domain for all below it."""
    prefix = "*." if text.startswith("*.") else ""
    domain = _domain_name(text.removeprefix("*."))
    return domain and prefix + domain


def _is_host(text: str) -> bool:
    try:
        # As Python encodes it when it listens.
        return bool(text.encode("idna"))
    except UnicodeError:
        return False


def _is_redirect_address(text: str) -> bool:
    """Return whether a sign-in may return to an address: absolute, without a fragment or a user
    name. `http` is for this machine only."""
    try:
        parts = urlsplit(text)
    except ValueError:
        return False
    if not text.isascii() or not text.isprintable() or re.search(r"[\s\\#]", text):
        return False
    if "@" in parts.netloc or len(text) > _MAX_REDIRECT_ADDRESS_LENGTH:
        return False
    if parts.scheme == "https":
        return bool(parts.hostname)
    if parts.scheme == "http":
        return is_loopback(parts.hostname or "")
    # The scheme of an application is a reversed domain (RFC 8252 section 7.1).
    return "." in parts.scheme


def _is_provider_name(text: str) -> bool:
    return re.fullmatch(r"[a-z][a-z0-9]{0,31}", text) is not None


def _is_network(text: str) -> bool:
    try:
        ip_network(text)
    except ValueError:
        return False
    return True


def _is_header_name(text: str) -> bool:
    return _TOKEN.fullmatch(text) is not None


def _is_webhook_url(url: SecretStr) -> bool:
    text = url.get_secret_value()
    if not text.isascii() or not text.isprintable() or re.search(r"[\s\\#]", text):
        return False
    try:
        parts = urlsplit(text)
        is_complete = bool(parts.hostname) and parts.port != 0
    except ValueError:
        return False
    return (
        parts.scheme in ("https", "http")
        and is_complete
        and "@" not in parts.netloc
        and len(text) <= _MAX_WEBHOOK_URL_LENGTH
    )


def _are_different(urls: tuple[SecretStr, ...]) -> bool:
    return len(set(urls)) == len(urls) <= _MAX_WEBHOOKS


def _is_webhook_secret(secret: SecretStr) -> bool:
    text = secret.get_secret_value()
    if not _WEBHOOK_SECRET.fullmatch(text):
        return False
    try:
        key = b64decode(text.removeprefix("whsec_"), validate=True)
    except ValueError:
        return False
    return len(key) in _WEBHOOK_SECRET_BYTES


def _is_event_pattern(text: str) -> bool:
    return _EVENT_PATTERN.fullmatch(text) is not None


def _is_hooks(text: str) -> bool:
    return _HOOKS.fullmatch(text) is not None


def _is_redis_url(url: SecretStr) -> bool:
    return _REDIS_URL.fullmatch(url.get_secret_value()) is not None


def _is_pictures_place(text: str) -> bool:
    return "://" not in text or _BUCKET.fullmatch(text) is not None


def _is_mail_url(url: SecretStr) -> bool:
    text = url.get_secret_value()
    if not _MAIL_URL.fullmatch(text):
        return False
    try:
        return urlsplit(text).port != 0
    except ValueError:
        return False


def _is_mail_address(text: str) -> bool:
    return text.isprintable() and _MAIL_ADDRESS.fullmatch(text) is not None


def _hex_color(text: str) -> str | None:
    """Return a colour with six lower-case digits."""
    if not _HEX_COLOR.fullmatch(text):
        return None
    digits = text[1:].lower()
    return f"#{digits if len(digits) == 6 else ''.join(digit * 2 for digit in digits)}"


def _is_brand_name(text: str) -> bool:
    return bool(text.strip()) and len(text) <= _MAX_BRAND_NAME_LENGTH and text.isprintable()


in_lower_case = _if_text(str.lower)
in_upper_case = _if_text(str.upper)

# A list such as `a, b`. pydantic-settings would read it as JSON without NoDecode.
CommaSeparated = Annotated[tuple[T, ...], NoDecode, BeforeValidator(_split_at_commas)]

FilePaths = CommaSeparated[Path]

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

PicturesPlace = Annotated[
    str,
    _check(_is_pictures_place, "must be a folder, a bucket such as s3://bucket/prefix, or off"),
]

# Hidden like a secret, because it may contain a password.
MailUrl = Annotated[
    SecretStr,
    _check(_is_mail_url, "must be a URL such as smtp://user:password@mail.example.com:587"),
]

MailAddress = Annotated[
    str,
    _check(
        _is_mail_address,
        "must be an address such as accounts@example.com or Example <accounts@example.com>",
    ),
]

PublicUrl = Annotated[
    str,
    _normalize(
        _public_url,
        "must be an address such as https://accounts.example.com or https://example.com/auth",
    ),
]

ServiceUrl = Annotated[
    str,
    _normalize(_service_url, "must be an https address such as https://api.example.com/range"),
]

Host = Annotated[
    str,
    _if_text(_without_brackets),
    _check(_is_host, "must be an IP address or the name of a host"),
]

Networks = Annotated[
    CommaSeparated[str],
    _check_each(
        _is_network, "must be addresses or networks such as 10.0.0.0/8, separated by commas"
    ),
]

DomainName = Annotated[
    str,
    _normalize(_domain_name, "must be a domain such as example.com"),
]

EmailDomains = Annotated[
    CommaSeparated[str],
    _normalize_each(
        _email_domain,
        "must be domains such as example.com or, for all below it, *.example.com, separated by commas",
    ),
]

Origins = Annotated[
    CommaSeparated[str],
    _normalize_each(
        _origin_or_any,
        "must be origins such as https://app.example.com, separated by commas",
    ),
]

RedirectAddresses = Annotated[
    CommaSeparated[str],
    _check_each(
        _is_redirect_address,
        "must be addresses such as https://app.example.com/signed-in or com.example.app:/signed-in,"
        " separated by commas",
    ),
]

ProviderNames = Annotated[
    CommaSeparated[str],
    _check_each(
        _is_provider_name, "must be names such as google, github, work, separated by commas"
    ),
]

HeaderNames = Annotated[
    CommaSeparated[str],
    _check_each(
        _is_header_name,
        "must be names of headers such as apollographql-client-name, separated by commas",
    ),
]

# Hidden like secrets, because they may contain some.
WebhookUrls = Annotated[
    CommaSeparated[SecretStr],
    _check_each(
        _is_webhook_url,
        "must be addresses such as https://app.example.com/webhooks, separated by commas",
    ),
    _check(_are_different, f"must be at most {_MAX_WEBHOOKS} different addresses"),
]

WebhookSecrets = Annotated[
    CommaSeparated[SecretStr],
    _check_each(
        _is_webhook_secret,
        "must be whsec_ and 24 to 64 bytes in base64 each, separated by commas; make one with"
        " `gatehouse secret --webhook`",
    ),
]

EventPatterns = Annotated[
    CommaSeparated[str],
    _check_each(_is_event_pattern, "must be names such as user.*, separated by commas"),
]

HooksPath = Annotated[
    str, _check(_is_hooks, "must be a module and a class such as package.module:Hooks")
]

BrandName = Annotated[
    str,
    _check(
        _is_brand_name,
        f"must be a name of 1 to {_MAX_BRAND_NAME_LENGTH} characters on one line",
    ),
]

HexColor = Annotated[
    str, _normalize(_hex_color, "must be a colour of three or six hex digits, such as #6a3de8")
]
