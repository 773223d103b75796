"""Servers at http://localhost."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

from tests.conftest import SECRET_KEY
from tests.mail_proofs import DATA_KEY
from tests.servers import Server, free_port, running_server


@contextmanager
def localhost_server(database_url: str, folder: Path, **settings: str) -> Iterator[Server]:
    """Run a server whose pages can have passkeys, and that can store authenticator apps."""
    port = str(free_port())
    url = f"http://localhost:{port}"
    known = {"PORT": port, "PUBLIC_URL": url, "DATA_KEY": DATA_KEY}
    with running_server(database_url, SECRET_KEY, folder, **known, **settings) as server:
        yield replace(server, url=url)
