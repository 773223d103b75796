"""nginx, Caddy and HAProxy as processes, with the configurations of deploy/ and other ports."""

import re
import shutil
import ssl
import subprocess
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

import httpx
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from tests.paths import ROOT
from tests.servers import TIMEOUT_SECONDS, Server, free_port, wait_until_it_listens

NAME = "accounts.example.com"
PROXIES = {
    "nginx": shutil.which("nginx", path="/usr/sbin:/usr/bin"),
    "caddy": shutil.which("caddy"),
}
HAPROXY = shutil.which("haproxy", path="/usr/sbin:/usr/bin")
CLIENT = "127.0.0.9"
# The user matters if root runs the tests: any other could not write into the folder.
NGINX = """\
user root; daemon off; pid {0}/nginx.pid; error_log stderr; worker_processes 1;
events {{ }}
http {{
  access_log off; client_body_temp_path {0}/b; proxy_temp_path {0}/p;
  fastcgi_temp_path {0}/f; uwsgi_temp_path {0}/u; scgi_temp_path {0}/s;
  include {0}/site.conf;
}}
"""


def nginx(folder: Path, port: int, addresses: Sequence[str]) -> list[str]:
    site = (ROOT / "deploy" / "nginx.conf").read_text()
    site = re.sub(r"listen \[::\]:.*;|listen 80;", "", site)
    site = site.replace("listen 443", f"listen 127.0.0.1:{port}")
    site = re.sub(r"(ssl_certificate\w*) .*/(\w+).pem;", rf"\1 {folder}/\2.pem;", site)
    servers = [f"    server {address} max_fails=0;\n" for address in addresses]
    site = re.sub(r"    server 127.0.0.1:8000 max_fails=0;\n", "".join(servers), site)
    # The first server block has no `listen` left, and would default to port 80.
    site = site.replace("server {", f"server {{ listen 127.0.0.1:{free_port()};", 1)
    (folder / "site.conf").write_text(site)
    (folder / "nginx.conf").write_text(NGINX.format(folder))
    return ["-c", str(folder / "nginx.conf")]


def caddy(folder: Path, port: int, addresses: Sequence[str]) -> list[str]:
    file = (ROOT / "deploy" / "Caddyfile").read_text()
    file = file.replace("127.0.0.1:8000 {", f"{' '.join(addresses)} {{")
    file = file.replace("\n{\n", "\n{\nadmin off\nauto_https off\n", 1)
    site = f"{NAME}:{port} {{\nbind 127.0.0.1\ntls {folder}/fullchain.pem {folder}/privkey.pem\n"
    (folder / "Caddyfile").write_text(file.replace(f"{NAME} {{\n", site))
    return ["run", "--config", str(folder / "Caddyfile")]


def make_certificate(folder: Path) -> None:
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, NAME)])
    now = datetime.now(UTC)
    certificate = (
        x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number())
        .not_valid_before(now - timedelta(hours=1))
        .not_valid_after(now + timedelta(hours=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(NAME)]), critical=False)
        .sign(key, hashes.SHA256())
    )
    encoding, form = serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8
    (folder / "fullchain.pem").write_bytes(certificate.public_bytes(encoding))
    (folder / "privkey.pem").write_bytes(
        key.private_bytes(encoding, form, serialization.NoEncryption())
    )


class Front:
    """A running proxy, for clients at an address of their own."""

    def __init__(self, port: int, folder: Path) -> None:
        self.port = port
        self.url = f"https://127.0.0.1:{port}"
        self.tls = ssl.create_default_context(cafile=folder / "fullchain.pem")

    def client(self, **headers: str) -> httpx.Client:
        return httpx.Client(
            transport=httpx.HTTPTransport(verify=self.tls, local_address=CLIENT),
            base_url=self.url,
            headers={"Host": NAME, **headers},
        )

    def post(self, path: str, **content: object) -> httpx.Response:
        return self.send("POST", path, **content)

    def send(self, method: str, path: str, **content: object) -> httpx.Response:
        with self.client() as client:
            return client.request(method, path, extensions={"sni_hostname": NAME}, **content)  # type: ignore[arg-type]


@contextmanager
def running(kind: str, folder: Path, *servers: Server | str, port: int = 0) -> Iterator[Front]:
    """Run a proxy in front of servers, or of addresses where a server will listen."""
    program, port = PROXIES[kind], port or free_port()
    assert program
    make_certificate(folder)
    addresses = [
        server if isinstance(server, str) else server.url.removeprefix("http://")
        for server in servers
    ]
    arguments = {"nginx": nginx, "caddy": caddy}[kind](folder, port, addresses)
    with _process(folder, port, program, *arguments):
        yield Front(port, folder)


class Balancer:
    """A running HAProxy, and the port that tells how many servers get requests."""

    def __init__(self, port: int, ready_port: int) -> None:
        self.url = f"http://127.0.0.1:{port}"
        self.ready_url = f"http://127.0.0.1:{ready_port}"

    def serving(self) -> int:
        return int(httpx.get(self.ready_url).text)


@contextmanager
def running_balancer(folder: Path, addresses: Sequence[str]) -> Iterator[Balancer]:
    """Run HAProxy with addresses in place of those that Docker's DNS tells it."""
    assert HAPROXY
    port, ready_port = free_port(), free_port()
    file = (ROOT / "deploy" / "haproxy.cfg").read_text()
    servers = [f"    server s{number} {each}\n" for number, each in enumerate(addresses)]
    file = re.sub(r"    server-template .*\n", "".join(servers), file)
    file = file.replace("bind :8000", f"bind 127.0.0.1:{port}")
    file = file.replace("bind 127.0.0.1:8001", f"bind 127.0.0.1:{ready_port}")
    (folder / "haproxy.cfg").write_text(file)
    with _process(folder, port, HAPROXY, "-db", "-f", str(folder / "haproxy.cfg")):
        yield Balancer(port, ready_port)


@contextmanager
def _process(folder: Path, port: int, program: str, *arguments: str) -> Iterator[None]:
    with (folder / "log").open("w") as log:
        process = subprocess.Popen(
            [program, *arguments],
            stdout=log,
            stderr=log,
            env={"HOME": str(folder), "PATH": "/usr/bin"},
        )
    try:
        wait_until_it_listens(port, process, folder / "log")
        yield
    finally:
        process.terminate()
        process.wait(TIMEOUT_SECONDS)
