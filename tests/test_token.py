"""POST /token, the OAuth2 password grant (RFC 6749 sections 4.3, 5.1 and 5.2)."""

import httpx
import pytest

from tests.operations import ME
from tests.users import GraphQL, RegisteredUser, register_user

FORM = {"Content-Type": "application/x-www-form-urlencoded"}


async def post_token(client: httpx.AsyncClient, **parameters: str) -> httpx.Response:
    return await client.post("/token", data=parameters)


async def test_a_password_gets_a_token(client: httpx.AsyncClient, ada: RegisteredUser) -> None:
    response = await post_token(
        client, grant_type="password", username="Ada", password=ada.password
    )

    assert response.status_code == 200
    assert response.headers["Cache-Control"] == "no-store"
    assert response.headers["Pragma"] == "no-cache"
    assert response.headers["Content-Type"] == "application/json"
    body = response.json()
    assert sorted(body) == ["access_token", "expires_in", "refresh_token", "token_type"]
    assert (body["token_type"], body["expires_in"]) == ("bearer", 1800)


async def test_a_token_from_either_door_opens_both(
    client: httpx.AsyncClient, graphql: GraphQL, ada: RegisteredUser
) -> None:
    response = await post_token(
        client, grant_type="password", username="ADA@example.com", password=ada.password
    )
    token = response.json()["access_token"]

    me = await graphql(ME, by=token)
    userinfo = await client.get("/userinfo", headers={"Authorization": f"Bearer {ada.token}"})
    assert me.data["me"]["id"] == ada.id == userinfo.json()["sub"]


@pytest.mark.parametrize("authorization", ["Basic Og==", "Basic c29tZTpvbmU=", "nonsense"])
async def test_client_authentication_is_not_looked_at(
    client: httpx.AsyncClient, ada: RegisteredUser, authorization: str
) -> None:
    response = await client.post(
        "/token",
        data={"grant_type": "password", "username": "Ada", "password": ada.password, "scope": ""},
        headers={"Authorization": authorization},
    )

    assert response.status_code == 200


async def test_wrong_credentials_are_an_invalid_grant(
    client: httpx.AsyncClient, ada: RegisteredUser
) -> None:
    wrong = await post_token(
        client, grant_type="password", username="Ada", password="difference engine"
    )
    unknown = await post_token(
        client, grant_type="password", username="Nobody", password=ada.password
    )

    assert wrong.status_code == unknown.status_code == 400
    assert wrong.json()["error"] == "invalid_grant"
    assert wrong.json() == unknown.json()


@pytest.mark.parametrize(
    ("body", "error"),
    [
        ("", "invalid_request"),
        ("username=Ada&password=secret%20engine", "invalid_request"),
        ("grant_type=&username=Ada&password=secret%20engine", "invalid_request"),
        ("grant_type=password", "invalid_request"),
        ("grant_type=password&username=Ada", "invalid_request"),
        ("grant_type=password&password=secret%20engine", "invalid_request"),
        ("grant_type=password&username=A&username=B&password=secret%20engine", "invalid_request"),
        ("grant_type=client_credentials", "unsupported_grant_type"),
        ("grant_type=Password&username=Ada&password=secret%20engine", "unsupported_grant_type"),
        ("grant_type=password&username=A&password=secret%20engine&scope=x", "invalid_scope"),
        ("grant_type=password&username=%00&password=x", "invalid_grant"),
        ("&".join(f"p{n}=secret%20engine" for n in range(500)), "invalid_request"),
        ("=&=;&&%&%zz=secret%20engine", "invalid_request"),
        ("scope=secret%20engine", "invalid_request"),
    ],
)
async def test_every_error_is_400_and_repeats_nothing(
    client: httpx.AsyncClient, ada: RegisteredUser, body: str, error: str
) -> None:
    response = await client.post("/token", content=body, headers=FORM)

    assert response.status_code == 400
    assert response.json()["error"] == error
    assert sorted(response.json()) == ["error", "error_description"]
    assert response.headers["Cache-Control"] == "no-store"
    assert "secret" not in response.text


SPELLINGS = ["contraseña", "contrase%C3%B1a", "contrase%c3%b1a"]


@pytest.mark.parametrize("password", [*SPELLINGS, "%63ontraseña"])
async def test_a_form_is_utf_8_however_it_is_encoded(
    client: httpx.AsyncClient, graphql: GraphQL, password: str
) -> None:
    await register_user(graphql, "Ada", "ada@example.com", "contraseña")
    body = f"grant_type=password&username=Ada&password={password}"
    response = await client.post("/token", content=body.encode(), headers=FORM)

    assert response.status_code == 200


@pytest.mark.parametrize("path", ["/token", "/revoke", "/introspect"])
@pytest.mark.parametrize(
    "value",
    [b"contrase\xf1a", b"contrase%F1a", b"%ED%A0%80", b"%C3", b"\xc3%B1", b"%FF", b"\xff\xfe"],
)
async def test_what_is_not_utf_8_is_an_invalid_request(
    client: httpx.AsyncClient, ada: RegisteredUser, path: str, value: bytes
) -> None:
    body = b"grant_type=password&username=Ada&token=x&password=" + value
    response = await client.post(
        path, content=body, headers={**FORM, "Authorization": f"Bearer {ada.token}"}
    )

    assert response.status_code == 400
    assert response.json() == {
        "error": "invalid_request",
        "error_description": "Send at most 20 parameters, in UTF-8.",
    }


@pytest.mark.parametrize("content_type", ["application/json", "multipart/form-data", "", "x/\xff"])
async def test_only_a_form_is_read(client: httpx.AsyncClient, content_type: str) -> None:
    response = await client.post(
        "/token",
        content=b"grant_type=password",
        headers=[(b"Content-Type", content_type.encode("latin-1"))],
    )

    assert response.status_code == 400
    assert response.json()["error"] == "invalid_request"


async def test_other_methods_are_told_which_one_works(client: httpx.AsyncClient) -> None:
    response = await client.get("/token?username=Ada&password=secret")

    assert response.status_code == 405
    assert response.headers["Allow"] == "POST"
    assert response.headers["Cache-Control"] == "no-store"
    assert response.json()["error"] == "invalid_request"


async def test_a_body_without_end_is_cut_off(client: httpx.AsyncClient) -> None:
    response = await client.post("/token", content=b"x" * 2_000_000, headers=FORM)

    assert response.status_code == 413
    assert response.json()["error"] == "invalid_request"
    assert response.headers["Cache-Control"] == "no-store"
