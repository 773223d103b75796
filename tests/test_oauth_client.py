"""Real OAuth2 clients over a real socket."""

import warnings
from collections.abc import Iterator
from typing import Any

import httpx
import pytest
from authlib.deprecate import AuthlibDeprecationWarning
from oauthlib.oauth2 import InvalidGrantError, LegacyApplicationClient
from requests_oauthlib import OAuth2Session

from tests.operations import REGISTER
from tests.servers import Server

pytestmark = pytest.mark.any_database

with warnings.catch_warnings():
    # Authlib raises deprecation warnings about its own modules.
    warnings.simplefilter("ignore", AuthlibDeprecationWarning)
    from authlib.integrations.base_client import OAuthError
    from authlib.integrations.httpx_client import OAuth2Client


@pytest.fixture(autouse=True)
def plain_http_is_fine_on_this_machine(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OAUTHLIB_INSECURE_TRANSPORT", "1")


@pytest.fixture(scope="module")
def server(shared_server: Server) -> Server:
    return shared_server


@pytest.fixture(scope="module", autouse=True)
def ada(server: Server) -> None:
    ada = {"username": "Ada", "email": "ada@example.com", "password": "analytical engine"}
    httpx.post(f"{server.url}/graphql", json={"query": REGISTER, "variables": ada})


class TestOAuthlib:
    @pytest.fixture
    def kept(self) -> list[dict[str, Any]]:
        """Collect the tokens that the client is told to keep."""
        return []

    @pytest.fixture
    def session(self, server: Server, kept: list[dict[str, Any]]) -> Iterator[OAuth2Session]:
        session = OAuth2Session(
            client=LegacyApplicationClient(client_id="any tool"),
            auto_refresh_url=f"{server.url}/token",
            token_updater=kept.append,
        )
        yield session
        session.close()

    def fetch_token(
        self, session: OAuth2Session, server: Server, password: str = "analytical engine"
    ) -> dict[str, Any]:
        token: dict[str, Any] = session.fetch_token(
            f"{server.url}/token", username="ada@example.com", password=password
        )
        return token

    def test_it_fetches_a_token_and_reads_userinfo_with_it(
        self, session: OAuth2Session, server: Server
    ) -> None:
        token = self.fetch_token(session, server)
        userinfo = session.get(f"{server.url}/userinfo")

        assert token["token_type"] == "bearer"
        assert userinfo.json()["preferred_username"] == "Ada"

    def test_it_understands_an_error(self, session: OAuth2Session, server: Server) -> None:
        with pytest.raises(InvalidGrantError):
            self.fetch_token(session, server, "difference engine")

    def test_it_refreshes_by_itself_what_has_expired(
        self, session: OAuth2Session, server: Server, kept: list[dict[str, Any]]
    ) -> None:
        first = dict(self.fetch_token(session, server))
        for _ in range(2):
            session.token = {**session.token, "expires_at": 1}
            assert session.get(f"{server.url}/userinfo").json()["email"] == "ada@example.com"

        assert len({first["refresh_token"], *(token["refresh_token"] for token in kept)}) == 3

    def test_it_understands_that_a_session_has_ended(
        self, session: OAuth2Session, server: Server
    ) -> None:
        token = self.fetch_token(session, server)
        session.post(f"{server.url}/revoke", data={"token": token["refresh_token"]})
        session.token = {**session.token, "expires_at": 1}

        with pytest.raises(InvalidGrantError):
            session.get(f"{server.url}/userinfo")


class TestAuthlib:
    @pytest.fixture
    def metadata(self, server: Server) -> dict[str, str]:
        found: dict[str, str] = httpx.get(
            f"{server.url}/.well-known/oauth-authorization-server"
        ).json()
        return found

    @pytest.fixture
    def client(self, metadata: dict[str, str]) -> Iterator[OAuth2Client]:
        with OAuth2Client(
            "any tool",
            token_endpoint=metadata["token_endpoint"],
            token_endpoint_auth_method="none",
            revocation_endpoint_auth_method="none",
        ) as client:
            yield client

    def fetch_token(self, client: OAuth2Client) -> dict[str, Any]:
        token: dict[str, Any] = client.fetch_token(username="ada", password="analytical engine")
        return token

    def test_it_finds_everything_by_the_metadata_and_refreshes_by_itself(
        self, client: OAuth2Client, metadata: dict[str, str]
    ) -> None:
        first = dict(self.fetch_token(client))
        client.token = {**client.token, "expires_at": 1}
        userinfo = client.get(metadata["userinfo_endpoint"])

        assert userinfo.json()["preferred_username"] == "Ada"
        assert client.token["refresh_token"] != first["refresh_token"]

    def test_it_introspects_and_revokes(
        self, client: OAuth2Client, metadata: dict[str, str]
    ) -> None:
        token = dict(self.fetch_token(client))
        by_itself = {"Authorization": f"Bearer {token['access_token']}"}
        about = {"token": token["refresh_token"]}
        active = httpx.post(metadata["introspection_endpoint"], data=about, headers=by_itself)
        revoked = client.revoke_token(  # type: ignore[no-untyped-call]
            metadata["revocation_endpoint"], token["refresh_token"], "refresh_token"
        )

        assert active.json()["active"] is True
        assert revoked.status_code == 200
        with pytest.raises(OAuthError, match="invalid_grant"):
            client.refresh_token(metadata["token_endpoint"], token["refresh_token"])
