"""Check the passwords and the encryption of the connections to PostgreSQL and to Redis."""

import re
import socket
from collections.abc import Iterator
from dataclasses import dataclass, field
from ipaddress import ip_address

from cli.check.findings import Finding, ok, problem
from domain.passwords import policy
from domain.rate_limits import IN_MEMORY, redis_url
from settings import Settings

# The defaults of images, and the example of redis.conf.
_DEFAULTS = {"postgres", "postgresql", "gatehouse", "redis", "foobared"}

# https://www.postgresql.org/docs/current/libpq-ssl.html: with all others, the client accepts a
# connection without TLS.
_ENCRYPTED = {"require", "verify-ca", "verify-full"}

# Without the suffix, a URL names one server.
_REDIS_WITH_TLS = {
    redis_url.Kind.SENTINEL: "rediss+sentinel://",
    redis_url.Kind.CLUSTER: "rediss+cluster://",
}


@dataclass(frozen=True, slots=True)
class _Service:
    item: str
    hosts: tuple[str, ...]
    user: str
    password: str = field(repr=False)
    is_encrypted: bool
    how_to_encrypt: str
    #: PostgreSQL also reads passwords from elsewhere, and has other ways to authenticate.
    needs_password: bool


def connections(settings: Settings) -> Iterator[Finding]:
    for service in _services(settings):
        problems = [problem(service.item, message) for message in _problems(service)]
        yield from problems or [
            ok(service.item, "no password that can be guessed, and no public address without TLS")
        ]


def _services(settings: Settings) -> Iterator[_Service]:
    database = settings.database_url.get_secret_value()
    if database.lower().startswith("postgres"):
        yield from _postgresql("DATABASE_URL", database)
    if settings.database_read_url is not None:
        yield from _postgresql("DATABASE_READ_URL", settings.database_read_url.get_secret_value())
    redis = settings.rate_limit_storage_url.get_secret_value()
    if redis != IN_MEMORY:
        yield from _redis("RATE_LIMIT_STORAGE_URL", redis_url.parse(redis))


def _redis(item: str, url: redis_url.RedisUrl) -> Iterator[_Service]:
    credentials = [(item, url.username, url.password)]
    if url.kind is redis_url.Kind.SENTINEL:
        credentials.append((f"{item} (Sentinels)", url.sentinel_username, url.sentinel_password))
    for name, user, password in credentials:
        yield _Service(
            name,
            tuple(host for host, _ in url.hosts),
            user or "",
            password or "",
            is_encrypted=url.tls is not None,
            how_to_encrypt=_REDIS_WITH_TLS.get(url.kind, "rediss://"),
            needs_password=True,
        )


def _postgresql(item: str, url: str) -> Iterator[_Service]:
    # Imported here: psycopg takes a tenth of a second, and SQLite does not need it.
    from psycopg import ProgrammingError
    from psycopg.conninfo import conninfo_to_dict

    try:
        parts = conninfo_to_dict(re.sub(r"^\w+(\+\w+)?://", "postgresql://", url))
    except ProgrammingError:
        return  # the check of the database says what is wrong
    host, user, password = (str(parts.get(name) or "") for name in ("host", "user", "password"))
    yield _Service(
        item,
        tuple(host.split(",")),
        user,
        password,
        is_encrypted=parts.get("sslmode") in _ENCRYPTED,
        how_to_encrypt="sslmode=verify-full",
        needs_password=False,
    )


def _problems(service: _Service) -> Iterator[str]:
    if service.password and _can_be_guessed(service.password, service.user):
        yield "has a password that can be guessed: choose a random one"
    public = [host for host in service.hosts if _is_public(host)]
    if public and not service.is_encrypted:
        yield f"sends data unencrypted to the public address of {', '.join(public)}: use {service.how_to_encrypt}"
    if public and service.needs_password and not service.password:
        yield f"needs no password at the public address of {', '.join(public)}: set one"


def _can_be_guessed(password: str, user: str) -> bool:
    return password.lower() in _DEFAULTS or bool(policy.problems(password, username=user))


def _is_public(host: str) -> bool:
    """Return whether a host has a public address. A Unix socket, and a name that does not resolve
    at this moment, have none."""
    if not host or host.startswith("/"):
        return False
    try:
        addresses = {str(info[4][0]) for info in socket.getaddrinfo(host, None)}
    except OSError:
        return False
    return any(ip_address(address.partition("%")[0]).is_global for address in addresses)
