"""SQL functions that SQLite and PostgreSQL spell differently."""

from typing import Any

from sqlalchemy import Integer
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.compiler import SQLCompiler
from sqlalchemy.sql.functions import GenericFunction


class octet_length(GenericFunction[int]):  # noqa: N801  # the name of the SQL function
    """The bytes of a text in UTF-8. PostgreSQL knows them without reading the text."""

    type = Integer()
    inherit_cache = True


@compiles(octet_length, "sqlite")
def _octet_length_of_sqlite(function: Any, compiler: SQLCompiler, **options: Any) -> str:
    # SQLite has octet_length from 3.43 on.
    return f"length(CAST({compiler.process(function.clauses, **options)} AS BLOB))"
