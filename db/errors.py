"""Classifies database errors: a violated constraint, or a database that is not available."""

from sqlalchemy.exc import DBAPIError, IntegrityError, InterfaceError, OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeout

# The SQLSTATEs of a standby, as during a failover: of a write, and of BEGIN READ WRITE. (The second
# is also that of a prepared statement whose table a migration has changed: closing the connections
# is right for that, too.)
_READ_ONLY = {"25006", "0A000"}

# The SQLSTATEs of a transaction that PostgreSQL has undone in favour of a concurrent one: a
# serialization failure and a deadlock.
_CONFLICT = {"40001", "40P01"}

# The SQLSTATE of a wait that has exceeded `lock_timeout`.
_LOCK_NOT_AVAILABLE = "55P03"

# The SQLSTATEs of a statement that names a table or a column that does not exist.
_UNDEFINED = {"42P01", "42703"}


def violated_constraint(error: IntegrityError) -> str | None:
    """Return the name of the violated constraint, as the models' naming convention makes it."""
    diagnosis = getattr(error.orig, "diag", None)
    if diagnosis is not None:
        name: str | None = diagnosis.constraint_name
        return name
    # SQLite names it in the message only: "UNIQUE constraint failed: users.email_key".
    kind, _, columns = str(error.orig).partition(" constraint failed: ")
    return f"uq_{columns.replace('.', '_')}" if kind == "UNIQUE" else None


def is_away(error: BaseException) -> bool:
    """Return whether the database is not available, rather than a statement wrong.

    Which error PostgreSQL raises depends on when it became unavailable.
    """
    if is_conflict(error):
        return False
    if isinstance(error, DBAPIError) and error.connection_invalidated:
        return True
    # On SQLite a wrong statement is an operational error too, with a name of its own.
    if getattr(getattr(error, "orig", None), "sqlite_errorname", None) == "SQLITE_ERROR":
        return False
    return is_standby(error) or isinstance(
        error, OperationalError | InterfaceError | PoolTimeout | ConnectionError
    )


def is_standby(error: BaseException) -> bool:
    """Return whether the error comes of a PostgreSQL that accepts no writes."""
    return _sqlstate(error) in _READ_ONLY


def is_conflict(error: BaseException) -> bool:
    """Return whether a concurrent transaction is the reason, so that the same work may succeed when
    it is done again."""
    return _sqlstate(error) in _CONFLICT


def is_lock_timeout(error: BaseException) -> bool:
    """Return whether a statement waited for a lock for longer than `lock_timeout` permits."""
    return _sqlstate(error) == _LOCK_NOT_AVAILABLE


def is_undefined(error: BaseException) -> bool:
    """Return whether a statement names a table or a column that does not exist."""
    return _sqlstate(error) in _UNDEFINED


def _sqlstate(error: BaseException) -> str | None:
    """Return the SQLSTATE of psycopg's error, or of SQLAlchemy's around it."""
    state: str | None = getattr(getattr(error, "orig", error), "sqlstate", None)
    return state


def reason(error: Exception) -> str:
    """Return the driver's message, in one line, of an error that ``is_away`` or ``is_conflict``.
    (Other messages may quote a row.)"""
    return str(getattr(error, "orig", None) or error).partition("\n")[0]
