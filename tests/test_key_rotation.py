"""Keys are added and retired while servers run, without a restart and without ending sessions."""

import re
import shutil
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import httpx
import pytest
from joserfc.errors import JoseError
from joserfc.jws import extract_compact

from tests.commands import run
from tests.conftest import SECRET_KEY
from tests.databases import copy_of
from tests.operations import LOGIN, REFRESH, REGISTER
from tests.paths import ROOT
from tests.servers import TIMEOUT_SECONDS, Server, running_server

GUIDE = ROOT / "docs" / "how-to" / "verify-tokens.md"

ISSUER = "http://gatehouse.test"
ADA = {"username": "Ada", "email": "ada@example.com", "password": "analytical engine"}


class Servers:
    """Servers that share a database and a folder of keys, and the commands of their operator."""

    def __init__(self, database_url: str, folder: Path, stack: ExitStack) -> None:
        self.database_url, self.folder, self.stack = database_url, folder, stack

    def start(self, **settings: str) -> Server:
        usual = {"ALGORITHM": "ES256", "PUBLIC_URL": ISSUER}
        server = running_server(self.database_url, "", self.folder, **usual | settings)
        return self.stack.enter_context(server)

    def keys(self, *arguments: str) -> str:
        """Run `gatehouse keys`, and return its output."""
        ended = run(["keys", *arguments], self.folder, ALGORITHM="ES256")
        assert ended.status == 0
        return ended.stdout

    def new_key(self, *arguments: str) -> str:
        """Create a key, and return its kid."""
        return self.keys("new", *arguments).split()[1]

    @property
    def files(self) -> Path:
        return self.folder / "keys"


@pytest.fixture
def servers(migrated_sqlite: Path, tmp_path: Path) -> Iterator[Servers]:
    with ExitStack() as stack:
        yield Servers(copy_of(migrated_sqlite, tmp_path), tmp_path, stack)


def execute(server: Server, document: str, bearer: str = "", **variables: str) -> dict[str, Any]:
    headers = {"Authorization": f"Bearer {bearer}"} if bearer else {}
    body = {"query": document, "variables": variables}
    answer = httpx.post(
        f"{server.url}/graphql", json=body, headers=headers, timeout=TIMEOUT_SECONDS
    )
    found: dict[str, Any] = answer.json()
    return found


def register(server: Server) -> dict[str, str]:
    token: dict[str, str] = execute(server, REGISTER, **ADA)["data"]["register"]
    return token


def log_in(server: Server) -> str:
    answer = execute(server, LOGIN, username=ADA["username"], password=ADA["password"])
    token: str = answer["data"]["login"]["accessToken"]
    return token


def me(server: Server, token: str) -> str:
    """Return the username that the token belongs to, or the error code."""
    answer = execute(server, "{ me { username } }", token)
    found: str = (answer["data"]["me"] or {}).get("username") or answer["errors"][0]["extensions"][
        "code"
    ]
    return found


def kid_of(token: str) -> str:
    kid: str = extract_compact(token.encode()).headers().get("kid", "")
    return kid


def published(server: Server) -> list[str]:
    keys = httpx.get(f"{server.url}/.well-known/jwks.json").json()["keys"]
    return [key["kid"] for key in keys]


def eventually(condition: Callable[[], bool]) -> None:
    """Poll until the condition holds.

    A process reloads its keys each second, and a key of `keys new --now` signs after ten.
    """
    deadline = time.monotonic() + TIMEOUT_SECONDS
    while not condition():
        assert time.monotonic() < deadline
        # Not more often: each check may start a session, and a user has at most a hundred.
        time.sleep(0.5)


def test_a_rotation_logs_nobody_out(servers: Servers) -> None:
    old = servers.new_key()
    one, two = servers.start(), servers.start()
    before = register(one)["accessToken"]
    new = servers.new_key("--now")
    eventually(lambda: published(one) == published(two) == [old, new])
    meanwhile = log_in(two)
    eventually(lambda: kid_of(log_in(one)) == kid_of(log_in(two)) == new)
    servers.keys("retire", old)
    after = log_in(one)

    assert (kid_of(before), kid_of(meanwhile), kid_of(after)) == (old, old, new)
    for server in (one, two):
        assert [me(server, token) for token in (before, meanwhile, after)] == ["Ada"] * 3
        assert old in published(server)


def test_a_compromised_key_is_good_for_nothing_and_its_owners_stay_signed_in(
    servers: Servers,
) -> None:
    old = servers.new_key()
    one, two = servers.start(), servers.start()
    ada = register(one)
    assert me(two, ada["accessToken"]) == "Ada"
    new = servers.new_key("--now")
    servers.keys("retire", old, "--compromised")

    for server in (one, two):
        eventually(lambda server=server: published(server) == [new])  # type: ignore[misc]
        assert me(server, ada["accessToken"]) == "TOKEN_EXPIRED"
    refreshed = execute(one, REFRESH, token=ada["refreshToken"])["data"]["refresh"]["accessToken"]
    assert kid_of(refreshed) == new
    assert me(two, refreshed) == "Ada"


def test_a_change_from_a_secret_to_keys_logs_nobody_out(servers: Servers) -> None:
    old = servers.start(ALGORITHM="HS256", SECRET_KEY=SECRET_KEY)
    before = register(old)["accessToken"]
    kid = servers.new_key()
    eventually(lambda: published(old) == [kid])
    # Both kinds run at the same time while servers restart one by one.
    new = servers.start(SECRET_KEY=SECRET_KEY)
    after = log_in(new)

    assert (kid_of(before), kid_of(after)) == ("", kid)
    for server in (old, new):
        assert [me(server, token) for token in (before, after)] == ["Ada", "Ada"]


def test_a_folder_that_is_damaged_or_away_keeps_nobody_from_being_served(servers: Servers) -> None:
    kid = servers.new_key()
    server = servers.start()
    before = register(server)["accessToken"]
    file = servers.files / f"{kid}.json"
    file.write_text(file.read_text()[:99])
    eventually(lambda: "cannot be used: it is not JSON" in server.logged())
    assert kid_of(log_in(server)) == kid

    shutil.rmtree(servers.files)
    eventually(lambda: "No key in keys can sign" in server.logged())
    assert kid_of(log_in(server)) == kid
    assert me(server, before) == "Ada"
    assert server.logged().count("The keys known before stay in use") == 2


def test_no_private_key_reaches_a_log(servers: Servers) -> None:
    servers.new_key()
    server = servers.start()
    kid = servers.new_key()
    eventually(lambda: kid in server.logged())
    printed = servers.keys("list")
    register(server)

    private = [re.findall('"d": "(.+)"', file.read_text())[0] for file in servers.files.iterdir()]
    assert len(private) == 2
    assert not any(secret in server.logged() + printed for secret in private)


def test_the_documented_way_to_verify_elsewhere_works_as_it_stands(servers: Servers) -> None:
    servers.new_key()
    server = servers.start(PUBLIC_URL="")
    ada = execute(server, REGISTER.replace("user {", "user { userId: "), **ADA)["data"]["register"]
    example = re.search(r"^```python\n(import httpx\n.*?)^```", GUIDE.read_text(), re.M | re.S)
    assert example
    elsewhere: dict[str, Any] = {}
    exec(example[1].replace("http://127.0.0.1:8000", server.url), elsewhere)

    assert elsewhere["user_id"](ada["accessToken"]) == ada["user"]["userId"]
    with pytest.raises(JoseError):
        elsewhere["user_id"](ada["accessToken"][:-9] + "A" * 9)
