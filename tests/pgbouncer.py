"""A PgBouncer in front of PostgreSQL, on a free port."""

import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Literal

from sqlalchemy import URL, make_url

from tests.servers import TIMEOUT_SECONDS, free_port, wait_until_it_listens

# Debian keeps it out of the PATH of users.
PGBOUNCER_PROGRAM = shutil.which("pgbouncer") or shutil.which("pgbouncer", path="/usr/sbin")

# So few that clients get another one each time, in transaction mode.
SERVER_CONNECTIONS = 3


@contextmanager
def running_pgbouncer(
    database_url: str,
    mode: Literal["session", "transaction"],
    server_connections: int = SERVER_CONNECTIONS,
) -> Iterator[str]:
    """Yield the database's URL by way of PgBouncer."""
    assert PGBOUNCER_PROGRAM
    url, port = make_url(database_url), free_port()
    with tempfile.TemporaryDirectory(prefix="pgbouncer-") as folder:
        file = Path(folder) / "pgbouncer.ini"
        file.write_text(_configuration(url, port, mode, server_connections))
        # It does not run as root.
        user = ["-u", "postgres"] if os.geteuid() == 0 else []
        process = subprocess.Popen(
            [PGBOUNCER_PROGRAM, "-q", *user, file],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        try:
            wait_until_it_listens(port, process)
            yield url.set(host="127.0.0.1", port=port).render_as_string(hide_password=False)
        finally:
            process.terminate()
            process.wait(TIMEOUT_SECONDS)


def _configuration(url: URL, port: int, mode: str, server_connections: int) -> str:
    password = f" password={url.password}" if url.password else ""
    # Session mode keeps a server connection for each client.
    size = server_connections if mode == "transaction" else 50
    return f"""
[databases]
* = host={url.host} port={url.port or 5432} user={url.username}{password}
[pgbouncer]
listen_addr = 127.0.0.1
listen_port = {port}
unix_socket_dir =
auth_type = any
pool_mode = {mode}
default_pool_size = {size}
"""
