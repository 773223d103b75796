"""PostgreSQL servers of the benchmarks' own, so that it is certain on which cores they run.

They have PostgreSQL's default settings.
"""

import os
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager

from benchmarks.placements import as_set
from soak.postgres import Postgres, programs, running_postgres
from soak.resource_usage import descendants
from tests.servers import free_port


@contextmanager
def pinned_postgres(cores: str) -> Iterator[Postgres]:
    """Run a server, all of whose processes run on the cores."""
    found = programs()
    assert found, "initdb was not found: install PostgreSQL's server."
    with ExitStack() as stack:
        with children_on(cores):
            postgres = stack.enter_context(running_postgres(found, free_port()))
        pid = postmaster(postgres)
        assert all(os.sched_getaffinity(each) == as_set(cores) for each in (pid, *descendants(pid)))
        yield postgres


@contextmanager
def children_on(cores: str) -> Iterator[None]:
    """Pin the processes that are started meanwhile: they inherit the cores of this one."""
    own = os.sched_getaffinity(0)
    os.sched_setaffinity(0, as_set(cores))
    try:
        yield
    finally:
        os.sched_setaffinity(0, own)


def postmaster(postgres: Postgres) -> int:
    return int((postgres.folder / "data" / "postmaster.pid").read_text().split()[0])
