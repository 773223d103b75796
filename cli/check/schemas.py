"""The finding of a schema that this release can serve on."""

from cli.check.findings import Finding, ok, warning
from db.migrations import Schema


def usable(database: str, schema: Schema) -> Finding:
    if schema.is_newer:
        return warning("DATABASE_URL", f"{database}, with {schema}: finish the upgrade")
    return ok("DATABASE_URL", f"{database}, up to date")
