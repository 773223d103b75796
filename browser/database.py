"""Databases for servers of the browser tests."""

import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests import databases
from tests.conftest import SECRET_KEY
from tests.servers import GATEHOUSE, TIMEOUT_SECONDS, environment


@contextmanager
def database(kind: str, folder: Path) -> Iterator[str]:
    """Yield the URL of a database of one of the kinds of `tests.conftest.DATABASES`."""
    if kind == "sqlite":
        # The server makes its tables.
        yield f"sqlite:///{folder / 'gatehouse.db'}"
        return
    with databases.empty_postgres() as url:
        # A process of its own: Playwright runs an event loop in this one.
        variables = environment(DATABASE_URL=url, SECRET_KEY=SECRET_KEY)
        subprocess.run(
            [GATEHOUSE, "migrate"], cwd=folder, env=variables, check=True, timeout=TIMEOUT_SECONDS
        )
        yield url
