"""What an error of a database means: a violated constraint, or a database that is away."""

from sqlalchemy.exc import DBAPIError, IntegrityError, InterfaceError, OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeout

# The SQLSTATE of a PostgreSQL that is a standby, as in the middle of a failover.
_READ_ONLY = "25006"


def violated_constraint(error: IntegrityError) -> str | None:
    """The name of the constraint that a statement violated, as the naming convention in ``models`` makes it."""
    diagnosis = getattr(error.orig, "diag", None)
    if diagnosis is not None:
        name: str | None = diagnosis.constraint_name
        return name
    # SQLite says it in words alone: "UNIQUE constraint failed: users.email_key".
    kind, _, columns = str(error.orig).partition(" constraint failed: ")
    return f"uq_{columns.replace('.', '_')}" if kind == "UNIQUE" else None


def is_away(error: BaseException) -> bool:
    """Whether an error says that the database cannot serve anyone now, rather than that a statement is wrong.

    PostgreSQL away shows as any of these, depending on when it went.
    """
    if isinstance(error, DBAPIError) and error.connection_invalidated:
        return True
    # SQLite calls a wrong statement an operational error too, and has a name for each kind.
    if getattr(getattr(error, "orig", None), "sqlite_errorname", None) == "SQLITE_ERROR":
        return False
    if getattr(getattr(error, "orig", None), "sqlstate", None) == _READ_ONLY:
        return True
    return isinstance(error, OperationalError | InterfaceError | PoolTimeout | ConnectionError)


def reason(error: Exception) -> str:
    """What the driver says of an error that ``is_away``, in a line. (Of other errors it may quote a row.)"""
    return str(getattr(error, "orig", None) or error).partition("\n")[0]
