"""DATABASE_URL, in the forms that SQLite's and PostgreSQL's own tools accept."""

import re
from collections.abc import Mapping
from typing import Any
from urllib.parse import quote, unquote

from sqlalchemy import URL, make_url
from sqlalchemy.exc import ArgumentError

_INVALID = "DATABASE_URL is not a valid database URL. See .env.example."

# A driver is ignored: this program has one for each database.
_SCHEME = re.compile(r"(?P<database>sqlite|postgres(?:ql)?)(?:\+\w+)?://", re.IGNORECASE)

# As SQLAlchemy reads it: a password may contain a slash, which libpq wants encoded.
_USER = re.compile(r"\A(?P<name>[^:/@]*)(?P<password>:[^@]*)?@")

_MAX_PORT = 65_535

# What each host has of its own, as lists separated by commas.
_BY_HOST = ("host", "hostaddr", "port")

# The parameters that libpq reads as numbers, and only when a host accepts its connection.
_NUMBERS = (
    "connect_timeout",
    "keepalives",
    "keepalives_idle",
    "keepalives_interval",
    "keepalives_count",
    "tcp_user_timeout",
)
_NUMBER = re.compile(r"-?[0-9]{1,9}")


def with_async_driver(database_url: str | URL) -> URL:
    """Return the URL that SQLAlchemy connects with. One that this function made stays as it is.

    Raises ValueError, without any part of the URL, for a URL that cannot be used.
    """
    if isinstance(database_url, URL):
        return database_url
    scheme = _SCHEME.match(database_url)
    if scheme is None:
        raise ValueError("DATABASE_URL must begin with sqlite:/// or postgresql://.")
    rest = database_url[scheme.end() :]
    return _sqlite(rest) if scheme["database"].lower() == "sqlite" else _postgresql(rest)


def has_several_hosts(url: URL) -> bool:
    """Return whether a URL that ``with_async_driver`` made has more than one host."""
    return "," in str(url.query.get("host", ""))


def each_host(url: URL) -> list[URL]:
    """Return the URL of each host of one that ``with_async_driver`` made."""
    if not has_several_hosts(url):
        return [url]
    return [url.update_query_dict(own) for own in by_host(url.query)]


def by_host(parameters: Mapping[str, Any]) -> list[dict[str, str]]:
    """Return what each host has of its own in parameters with lists separated by commas."""
    lists = {name: str(parameters[name]).split(",") for name in _BY_HOST if parameters.get(name)}
    hosts = lists.get("host") or lists.get("hostaddr") or [""]
    return [
        {name: values[number] for name, values in lists.items()} for number in range(len(hosts))
    ]


def _sqlite(rest: str) -> URL:
    try:
        url = make_url(f"sqlite+aiosqlite://{rest}")
    except (ArgumentError, ValueError):
        raise ValueError(_INVALID) from None
    if url.database in (None, "", ":memory:"):
        raise ValueError(
            "DATABASE_URL must name a file: each connection to an in-memory SQLite database sees another one."
        )
    if url.query or str(url.database).startswith("file:"):
        raise ValueError("DATABASE_URL must name an SQLite file by its path, without parameters.")
    return url


def _postgresql(rest: str) -> URL:
    """Read the URL with libpq, which knows several hosts, folders of sockets and its own parameters
    (https://www.postgresql.org/docs/current/libpq-connect.html, "Connection URIs")."""
    # Imported here: psycopg takes a tenth of a second, and SQLite does not need it.
    from psycopg import ProgrammingError, conninfo

    try:
        found = conninfo.conninfo_to_dict(f"postgresql://{_USER.sub(_encode, rest, count=1)}")
        parameters = {name: str(value) for name, value in found.items()}
        _require_values(parameters)
        hosts = _hosts(parameters)
        ports = _ports(parameters, max(1, len(hosts)))
    except (ProgrammingError, ValueError):
        # Its message may quote the password.
        raise ValueError(
            "DATABASE_URL is not a valid PostgreSQL URL, or has a parameter or a value that libpq"
            " does not know. See .env.example."
        ) from None
    if not parameters.get("user") and not _default_user():
        raise ValueError("DATABASE_URL must name a user: the system knows no name of this one.")
    user, password, database = (parameters.pop(key, None) for key in ("user", "password", "dbname"))
    url = URL.create("postgresql+psycopg", user, password, database=database, query=parameters)
    if len(hosts) > 1:
        return url.update_query_dict({"host": ",".join(hosts), "port": ",".join(ports)})
    return url.set(host=next(iter(hosts), None), port=int(ports[0]) if ports[0] else None)


def _encode(user: re.Match[str]) -> str:
    """Encode the name and the password of a user, which may contain what libpq wants encoded."""
    name, password = (quote(unquote(user[part] or ""), safe=":") for part in ("name", "password"))
    return f"{name}{password}@"


def _require_values(parameters: dict[str, str]) -> None:
    """Raise ValueError for a value that libpq refuses, such as of `sslmode`. It would be refused at
    each connection, and taken for a server that is not available."""
    if not all(_NUMBER.fullmatch(parameters.get(name, "0")) for name in _NUMBERS):
        raise ValueError
    if _errors_before_connecting(parameters) != _errors_before_connecting({}):
        raise ValueError


def _errors_before_connecting(parameters: dict[str, str]) -> set[bytes]:
    """Return the errors of libpq. It judges all other values before the port, which is invalid, and
    looks up no host. Without a user, it would look up the one of this process."""
    from psycopg import conninfo, pq

    values = {name: value for name, value in parameters.items() if name != "hostaddr"}
    place = {"host": "127.0.0.1", "port": "0", "user": "gatehouse"}
    text = conninfo.make_conninfo("", **values | place)
    connection = pq.PGconn.connect_start(text.encode())
    errors = set(connection.error_message.splitlines())
    connection.finish()
    return errors


def _default_user() -> bytes | None:
    """Return PGUSER, or the name of the user of this process. A container may run as a user who has
    none."""
    from psycopg import pq

    return next(one.val for one in pq.Conninfo.get_defaults() if one.keyword == b"user")


def _hosts(parameters: dict[str, str]) -> list[str]:
    """Take the hosts out of the parameters. Raises ValueError for one that cannot be looked up."""
    listed = parameters.pop("host", "") or parameters.get("hostaddr", "")
    hosts = listed.split(",") if listed else []
    for host in hosts:
        # As the driver encodes it, where it would fail at each connection. A path has long labels.
        if not host.startswith("/"):
            host.encode("idna")
    return hosts


def _ports(parameters: dict[str, str], hosts: int) -> list[str]:
    """Take the ports out of the parameters, one for each host, and "" for the default. Raises
    ValueError."""
    ports = parameters.pop("port", "").split(",")
    if len(ports) == 1:
        ports *= hosts
    if len(ports) != hosts or not all(map(_is_port, ports)):
        raise ValueError
    return ports


def _is_port(text: str) -> bool:
    return not text or (_NUMBER.fullmatch(text) is not None and 0 < int(text) <= _MAX_PORT)
