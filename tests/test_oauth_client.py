"""A real OAuth2 client over a real socket."""

import httpx
import pytest
from oauthlib.oauth2 import InvalidGrantError, LegacyApplicationClient
from requests_oauthlib import OAuth2Session

from tests.people import REGISTER
from tests.servers import Server


@pytest.fixture(autouse=True)
def plain_http_is_fine_on_this_machine(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OAUTHLIB_INSECURE_TRANSPORT", "1")


@pytest.fixture
def session(server: Server) -> OAuth2Session:
    ada = {"username": "Ada", "email": "ada@example.com", "password": "analytical engine"}
    httpx.post(f"{server.url}/graphql", json={"query": REGISTER, "variables": ada})
    return OAuth2Session(client=LegacyApplicationClient(client_id="any tool"))


def fetch_token(session: OAuth2Session, server: Server, password: str) -> dict[str, object]:
    token: dict[str, object] = session.fetch_token(
        f"{server.url}/token", username="ada@example.com", password=password
    )
    return token


def test_it_fetches_a_token_and_reads_userinfo_with_it(
    session: OAuth2Session, server: Server
) -> None:
    token = fetch_token(session, server, "analytical engine")
    userinfo = session.get(f"{server.url}/userinfo")
    session.close()

    assert token["token_type"] == "bearer"
    assert userinfo.json()["preferred_username"] == "Ada"


def test_it_understands_a_refusal(session: OAuth2Session, server: Server) -> None:
    with pytest.raises(InvalidGrantError):
        fetch_token(session, server, "difference engine")
    session.close()
