"""The revision of a database, and which code can serve on it.

A migration says in ``oldest_compatible`` which revision the code must know at least that serves on
its schema. The database records this beside its revision: code cannot know the migrations that are
written after it, but it finds out whether they have it in mind.
"""

from dataclasses import dataclass
from pathlib import Path

from sqlalchemy import Column, Connection, MetaData, String, Table, inspect, select, text

SCRIPTS = Path(__file__).parent

# Listed once: an upgrade may replace the files under a running process, whose code stays.
REVISIONS = tuple(
    sorted(file.name.partition("_")[0] for file in SCRIPTS.glob("versions/[0-9]*.py"))
)

HEAD = REVISIONS[-1]

_REVISION = String(32)


def _version_table(name: str) -> Table:
    return Table(name, MetaData(), Column("version_num", _REVISION, primary_key=True))


# The table of the revision has a name of its own, so that other programs that use Alembic can share
# the database.
VERSION_TABLE = "gatehouse_version"
_VERSION = _version_table(VERSION_TABLE)
_FORMER = _version_table("alembic_version")

# Alembic leaves a column alone that it does not know.
_OLDEST = Column("oldest_compatible", _REVISION)
_VERSION.append_column(_OLDEST)


class SchemaMismatch(Exception):
    """The database has another schema than this code needs."""


@dataclass(frozen=True)
class Schema:
    """The schema of a database. ``revision`` is None if there are no tables."""

    revision: str | None
    #: Of a newer schema only.
    oldest_compatible: str | None = None

    @property
    def is_current(self) -> bool:
        return self.revision == HEAD

    @property
    def is_newer(self) -> bool:
        """Return whether it is of a newer release, or of another program."""
        return self.revision is not None and self.revision not in REVISIONS

    @property
    def is_usable(self) -> bool:
        """Return whether this code can serve on it."""
        return self.is_current or (self.is_newer and self.oldest_compatible in REVISIONS)

    def require_usable(self) -> None:
        """Raise SchemaMismatch unless this code can serve on it."""
        if self.is_usable:
            return
        self.require_known()
        raise SchemaMismatch("The database's schema is not up to date: run `gatehouse migrate`.")

    def require_known(self) -> None:
        """Raise SchemaMismatch if its revision is not one of this code."""
        if self.is_newer:
            raise SchemaMismatch(
                "The database is newer than this program"
                f"{'' if self.is_usable else ', which cannot serve on it'}:"
                f" it has the schema {self.revision}, and this program knows those up to {HEAD}."
                " Install the newer release again."
            )

    def __str__(self) -> str:
        name = f"the schema {self.revision}"
        if self.is_newer and self.is_usable:
            return f"{name} of a newer release, on which this one can serve"
        return name


def read_schema(connection: Connection) -> Schema:
    """Read the schema of the database."""
    schema = Schema(_revision(connection))
    return Schema(schema.revision, _oldest_compatible(connection)) if schema.is_newer else schema


def record_compatibility(connection: Connection, oldest_compatible: str) -> None:
    """Record the oldest revision whose code can serve on the tables as they are now."""
    if not _has_oldest_compatible(connection):
        # It locks the table that probes read, so it comes after the migrations.
        connection.execute(
            text(f"ALTER TABLE {_VERSION.name} ADD COLUMN {_OLDEST.name} VARCHAR(32)")
        )
    connection.execute(_VERSION.update().values({_OLDEST: oldest_compatible}))


def rename_version_table(connection: Connection) -> None:
    """Move the revision from ``alembic_version``, where earlier code kept it.

    A new table: a renamed one would keep the name of its primary key, which the ``alembic_version``
    of another program needs.
    """
    if not _has_former_version_table(connection):
        return
    _VERSION.create(connection)
    connection.execute(_VERSION.insert().from_select(["version_num"], select(_FORMER)))
    _FORMER.drop(connection)


def _revision(connection: Connection) -> str | None:
    if inspect(connection).has_table(_VERSION.name):
        return connection.scalar(select(_VERSION.c.version_num))
    if _has_former_version_table(connection):
        return connection.scalar(select(_FORMER.c.version_num))
    return None


def _oldest_compatible(connection: Connection) -> str | None:
    if not _has_oldest_compatible(connection):
        return None
    return connection.scalar(select(_OLDEST))


def _has_oldest_compatible(connection: Connection) -> bool:
    tables = inspect(connection)
    return tables.has_table(_VERSION.name) and any(
        column["name"] == _OLDEST.name for column in tables.get_columns(_VERSION.name)
    )


def _has_former_version_table(connection: Connection) -> bool:
    """Return whether there is an ``alembic_version`` that belongs to Gatehouse, and not to another
    program: Gatehouse's first migration made the users with their keys."""
    tables = inspect(connection)
    return (
        not tables.has_table(_VERSION.name)
        and tables.has_table(_FORMER.name)
        and tables.has_table("users")
        and any(column["name"] == "username_key" for column in tables.get_columns("users"))
    )
