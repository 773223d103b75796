"""The URL of a Redis or a Valkey: of one server, of one that Sentinels name, or of a Cluster."""

import re
import ssl
from dataclasses import dataclass, field
from enum import Enum, auto
from urllib.parse import parse_qsl, unquote

_SCHEME = r"(?:redis|valkey)(?P<tls>s?)"
_USER = r"(?:(?P<username>[^:/?#]*)(?::(?P<password>[^/?#]*))?@)?"
_HOSTS = rf"{_USER}(?P<hosts>[^/?#@]+)"
_QUERY = r"(?:\?(?P<query>[^#]*))?"


class Kind(Enum):
    SERVER = auto()
    SOCKET = auto()
    SENTINEL = auto()
    CLUSTER = auto()


_FORMS = {
    Kind.SERVER: rf"{_SCHEME}://{_HOSTS}(?:/(?P<db>[0-9]{{0,6}}))?{_QUERY}",
    Kind.SOCKET: rf"(?:(?:redis|valkey)\+)?unix://{_USER}(?P<socket>/[^?#]+){_QUERY}",
    Kind.SENTINEL: rf"{_SCHEME}\+sentinel://{_HOSTS}/(?P<service>[^/?#]+)(?:/(?P<db>[0-9]{{0,6}}))?{_QUERY}",
    Kind.CLUSTER: rf"{_SCHEME}\+cluster://{_HOSTS}/?{_QUERY}",
}
_HOST = re.compile(
    r"(?:\[(?P<address>[0-9a-f:.]+)\]|(?P<name>[^\s:\[\]]+))(?::(?P<port>[0-9]{1,5}))?",
    re.IGNORECASE,
)
_MAX_PORT = 65535

# Each with the values that it accepts. The names are redis-py's.
_PARAMETERS = {
    "username": r".+",
    "password": r".+",
    "db": r"[0-9]{1,6}",
    "protocol": r"[23]",
}
_TLS_PARAMETERS = {
    "ssl_ca_certs": r".+",
    "ssl_certfile": r".+",
    "ssl_keyfile": r".+",
    "ssl_cert_reqs": r"none|optional|required",
    "ssl_check_hostname": r"true|false",
}
_SENTINEL_PARAMETERS = {"sentinel_username": r".+", "sentinel_password": r".+"}


@dataclass(frozen=True, slots=True)
class RedisUrl:
    """``hosts`` are those of the Sentinels if the URL has any, and none for a socket. ``tls`` has
    redis-py's arguments, and is None without TLS."""

    kind: Kind
    hosts: tuple[tuple[str, int], ...]
    socket: str
    service: str
    db: int
    protocol: int | None
    tls: dict[str, str | bool] | None
    username: str | None
    password: str | None = field(repr=False)
    sentinel_username: str | None
    sentinel_password: str | None = field(repr=False)


def parse(url: str) -> RedisUrl:
    """Parse a URL. Raises ValueError with a sentence, which has no part of the URL: any part of a
    mistyped one may be the password."""
    kind, parts = _parts(url)
    is_encrypted = bool(parts.get("tls"))
    parameters = _parameters(parts.pop("query", ""), kind, is_encrypted=is_encrypted)
    values = {name: unquote(text) for name, text in parts.items()} | parameters
    return RedisUrl(
        kind=kind,
        hosts=_hosts(parts.get("hosts", ""), kind),
        socket=values.get("socket", ""),
        service=values.get("service", ""),
        db=int(values.get("db") or 0),
        protocol=int(values["protocol"]) if "protocol" in values else None,
        tls=_tls(parameters) if is_encrypted else None,
        username=values.get("username") or None,
        password=values.get("password") or None,
        sentinel_username=values.get("sentinel_username"),
        sentinel_password=values.get("sentinel_password"),
    )


def _parts(url: str) -> tuple[Kind, dict[str, str]]:
    for kind, form in _FORMS.items():
        if match := re.fullmatch(form, url, re.IGNORECASE):
            return kind, {name: text for name, text in match.groupdict().items() if text}
    raise ValueError(
        "RATE_LIMIT_STORAGE_URL is not a valid Redis URL. Valid are redis://host:6379/0,"
        " rediss://host:6379/0, unix:///run/redis.sock, redis+sentinel://host,host/service/0 and"
        " redis+cluster://host,host."
    )


def _parameters(query: str, kind: Kind, *, is_encrypted: bool) -> dict[str, str]:
    known = _PARAMETERS | (_TLS_PARAMETERS if is_encrypted else {})
    if kind is Kind.SENTINEL:
        known |= _SENTINEL_PARAMETERS
    if kind is Kind.CLUSTER:
        # A Cluster has one database.
        known = {name: values for name, values in known.items() if name != "db"}
    parameters = parse_qsl(query, keep_blank_values=True)
    for name, value in parameters:
        if not re.fullmatch(known.get(name, r"(?!)"), value):
            raise ValueError(
                "RATE_LIMIT_STORAGE_URL may have these parameters, with valid values:"
                f" {', '.join(known)}."
            )
    return dict(parameters)


def _hosts(text: str, kind: Kind) -> tuple[tuple[str, int], ...]:
    default_port = 26379 if kind is Kind.SENTINEL else 6379
    matches = [_HOST.fullmatch(host.strip()) for host in text.split(",")] if text else []
    hosts = tuple(
        (match["address"] or unquote(match["name"]), int(match["port"] or default_port))
        for match in matches
        if match
    )
    if len(hosts) < len(matches) or not all(0 < port <= _MAX_PORT for _, port in hosts):
        raise ValueError("RATE_LIMIT_STORAGE_URL has no valid host and port.")
    if kind is Kind.SERVER and len(hosts) > 1:
        raise ValueError(
            "RATE_LIMIT_STORAGE_URL has several hosts: begin it with redis+sentinel:// or"
            " redis+cluster://."
        )
    return hosts


def _tls(parameters: dict[str, str]) -> dict[str, str | bool]:
    arguments: dict[str, str | bool] = {
        name: value for name, value in parameters.items() if name in _TLS_PARAMETERS
    }
    if "ssl_check_hostname" in arguments:
        arguments["ssl_check_hostname"] = arguments["ssl_check_hostname"] == "true"
    try:
        # Read here, so that a file that cannot be used stops the start.
        context = ssl.create_default_context(cafile=parameters.get("ssl_ca_certs"))
        if parameters.keys() & {"ssl_certfile", "ssl_keyfile"}:
            # Without the empty password, OpenSSL would ask for one at the terminal.
            context.load_cert_chain(
                parameters.get("ssl_certfile", ""), parameters.get("ssl_keyfile"), password=""
            )
    except OSError:
        raise ValueError(
            "RATE_LIMIT_STORAGE_URL names a certificate or a key that cannot be read."
        ) from None
    return arguments
