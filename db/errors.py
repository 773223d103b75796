"""Classifies database errors: a violated constraint, or a database that is not available."""

from sqlalchemy.exc import DBAPIError, IntegrityError, InterfaceError, OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeout

# The SQLSTATE of a write to a standby, as during a failover.
_READ_ONLY = "25006"


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
    if isinstance(error, DBAPIError) and error.connection_invalidated:
        return True
    # On SQLite a wrong statement is an operational error too, with a name of its own.
    if getattr(getattr(error, "orig", None), "sqlite_errorname", None) == "SQLITE_ERROR":
        return False
    if getattr(getattr(error, "orig", None), "sqlstate", None) == _READ_ONLY:
        return True
    return isinstance(error, OperationalError | InterfaceError | PoolTimeout | ConnectionError)


def reason(error: Exception) -> str:
    """Return the driver's message of an error that ``is_away``, in one line. (Other messages may
    quote a row.)"""
    return str(getattr(error, "orig", None) or error).partition("\n")[0]
