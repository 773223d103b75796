"""A server under a path of nginx, as docs/how-to/sub-path.md configures it."""

import re
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

from tests.conftest import SECRET_KEY
from tests.paths import ROOT
from tests.servers import TIMEOUT_SECONDS, Server, free_port, running_server, wait_until_it_listens

NGINX = shutil.which("nginx", path="/usr/sbin:/usr/bin")
CONFIGURATION = """\
daemon off; pid {0}/nginx.pid; error_log stderr; worker_processes 1;
events {{ }}
http {{
  access_log off; client_body_temp_path {0}/b; proxy_temp_path {0}/p;
  fastcgi_temp_path {0}/f; uwsgi_temp_path {0}/u; scgi_temp_path {0}/s;
  map $http_upgrade $connection_to_gatehouse {{ default upgrade; "" ""; }}
  server {{ listen 127.0.0.1:{1}; {2} }}
}}
"""


@contextmanager
def server_under_a_path(database_url: str, folder: Path, *, strips: bool) -> Iterator[Server]:
    """Run a server and nginx in front of it, which strips the path or passes it on."""
    port = free_port()
    url = f"http://127.0.0.1:{port}/accounts"
    with running_server(
        database_url, SECRET_KEY, folder, PUBLIC_URL=url, TRUSTED_PROXIES="127.0.0.1"
    ) as server:
        guide = (ROOT / "docs" / "how-to" / "sub-path.md").read_text()
        [locations] = re.findall(r"```nginx\n(.*?)```", guide, re.S)
        if not strips:
            locations = locations.replace(":8000/;", ":8000;")
        locations = locations.replace("http://127.0.0.1:8000", server.url)
        # The port belongs to the Host header of this test.
        locations = locations.replace("Host $host;", "Host $http_host;")
        (folder / "nginx.conf").write_text(CONFIGURATION.format(folder, port, locations))
        assert NGINX
        with (folder / "nginx.log").open("w") as log:
            process = subprocess.Popen(
                [NGINX, "-c", str(folder / "nginx.conf")], stdout=log, stderr=log
            )
        try:
            wait_until_it_listens(port, process, folder / "nginx.log")
            yield replace(server, url=url)
        finally:
            process.terminate()
            process.wait(TIMEOUT_SECONDS)
