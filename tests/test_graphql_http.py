"""GraphQL over HTTP: valid requests, and the errors of invalid ones, which run nothing."""

import json

import httpx
import pytest

from tests.operations import ME, USER
from tests.users import RegisteredUser

pytestmark = pytest.mark.any_database

JSON = {"Content-Type": "application/json"}


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"{",
        b"null",
        b"5",
        b'"{ me { id } }"',
        b"[]",
        b'[{"query": "{ me { id } }"}]',
        b"{}",
        b'{"query": null}',
        b'{"query": ""}',
        b'{"query": 5}',
        b'{"query": ["{ me { id } }"]}',
        b'{"query": "{ me { id } }", "variables": 5}',
        b'{"query": "{ me { id } }", "variables": []}',
        b'{"query": "{ me { id } }", "operationName": 5}',
        b'{"query": "{ me { id } }", "operationName": "Nobody"}',
        b'{"query": "{ me { id } }", "operationName": "\\ud800"}',
        b'{"query": "{ me { id } }", "extensions": "x"}',
        b"\xff\xfe{}",
        '{"query": "{ me { id } }"}'.encode("utf-16"),
        b"[" * 100_000,
        b'{"query": "{ me { id } }", "variables": ' + b"9" * 10_000 + b"}",
        b'{"query": "fragment F on Query { __typename }"}',
        b'{"query": "\\ud800"}',
        b'{"query": "# nothing"}',
    ],
)
async def test_a_malformed_request_is_refused_as_json(
    client: httpx.AsyncClient, body: bytes
) -> None:
    response = await client.post("/graphql", content=body, headers=JSON)

    assert response.status_code in (200, 400)
    [error] = response.json()["errors"]
    assert error["message"]
    assert error["extensions"]["code"] in (
        "INVALID_INPUT",
        "GRAPHQL_PARSE_FAILED",
        "GRAPHQL_VALIDATION_FAILED",
    )


@pytest.mark.parametrize(
    "value",
    [
        "[" + "[]," * 300_000 + "1]",
        "[" + "1.5," * 200_000 + "1]",
        "[" + '"",' * 300_000 + "1]",
        "{" + ",".join(f'"{n}":1' for n in range(90_000)) + "}",
        "9" * 4000 + " " * 500_000,
    ],
)
async def test_json_that_takes_long_to_parse_is_refused_before(
    client: httpx.AsyncClient, value: str
) -> None:
    body = f'{{"query": "{{ __typename }}", "variables": {{"x": {value}}}}}'
    response = await client.post("/graphql", content=body, headers=JSON)
    [error] = response.json()["errors"]

    assert response.status_code == 400
    assert error["message"].startswith("Outside of its strings")
    assert error["extensions"]["code"] == "INVALID_INPUT"


@pytest.mark.parametrize("text", ['"', "\\", '\\"', ",", "[{:", "\N{SNOWMAN}", "\N{ROCKET}"])
async def test_a_string_of_any_content_is_read(client: httpx.AsyncClient, text: str) -> None:
    body = {"query": "{ __typename }", "variables": {"unused": text * 100_000}}
    response = await client.post("/graphql", json=body)

    assert response.json() == {"data": {"__typename": "Query"}}


@pytest.mark.parametrize(
    "document",
    [
        "{ me { id } " * 20_000,
        "{ me { id } }" + "{" * 200_000,
        "query(" + "$a: Int " * 50_000 + ") { __typename }",
        "{" + " a: __typename" * 50_000 + "}",
        "#" * 900_000,
        "\n" * 500_000 + "{" + " ".join(f"x{n}" for n in range(900)) + "}",
        "\n" * 500_000 + "{" + " ".join(f"a{n}: me {{ id }}" for n in range(160)) + "}",
        "{ " + "x" * 900_000 + " }",
        '{ user(id: "' + "x" * 900_000 + '") { id } }',
        "{ user(id: " + "[" * 50_000 + ") { id } }",
    ],
)
async def test_a_monstrous_document_is_refused(client: httpx.AsyncClient, document: str) -> None:
    response = await client.post("/graphql", json={"query": document})

    assert response.status_code == 200
    assert {error["extensions"]["code"] for error in response.json()["errors"]} == {
        "QUERY_TOO_COSTLY"
    }
    assert len(response.content) < 1000


async def test_a_body_without_end_is_cut_off(client: httpx.AsyncClient) -> None:
    response = await client.post("/graphql", json={"query": "#" * 2_000_000})

    assert response.status_code == 413
    assert response.json()["errors"]


@pytest.mark.parametrize(
    "content_type", ["text/plain", "multipart/form-data; boundary=x", "", "application/jsonx"]
)
async def test_only_json_is_read(client: httpx.AsyncClient, content_type: str) -> None:
    response = await client.post(
        "/graphql", content=b'{"query": "{ __typename }"}', headers={"Content-Type": content_type}
    )

    assert response.status_code == 415
    assert response.json()["errors"]


async def test_a_query_may_come_by_get(client: httpx.AsyncClient, ada: RegisteredUser) -> None:
    response = await client.get(
        "/graphql",
        params={"query": "query Me($x: Boolean!) { me { id @include(if: $x) } }"}
        | {"variables": json.dumps({"x": True}), "operationName": "Me"},
        headers={"Authorization": f"Bearer {ada.token}"},
    )

    assert response.json() == {"data": {"me": {"id": ada.id}}}
    assert response.headers["Cache-Control"] == "no-store"


@pytest.mark.parametrize("value", ["", "null", "{}"])
async def test_a_parameter_may_be_there_and_empty(client: httpx.AsyncClient, value: str) -> None:
    parameters = {"query": "{ __typename }", "variables": value, "extensions": value}
    response = await client.get("/graphql", params=parameters)

    assert response.json() == {"data": {"__typename": "Query"}}


@pytest.mark.parametrize(
    "parameters",
    [
        "operationName=",
        "operationName=&variables=&extensions=",
        "operationName&variables&extensions",
        "variables=null&extensions=null&operationName=",
    ],
)
async def test_an_empty_parameter_is_an_absent_one(
    client: httpx.AsyncClient, parameters: str
) -> None:
    response = await client.get(f"/graphql?query=query+A{{__typename}}&{parameters}")

    assert response.json() == {"data": {"__typename": "Query"}}


@pytest.mark.parametrize(
    "others",
    [
        {"operationName": ""},
        {"operationName": None, "variables": None, "extensions": None},
        {"operationName": "", "variables": {}, "extensions": {"persistedQuery": None}},
    ],
)
async def test_an_empty_member_is_an_absent_one(
    client: httpx.AsyncClient, others: dict[str, object]
) -> None:
    response = await client.post("/graphql", json={"query": "query A { __typename }", **others})

    assert response.json() == {"data": {"__typename": "Query"}}


async def test_an_empty_query_is_none(client: httpx.AsyncClient) -> None:
    response = await client.get("/graphql?query=&operationName=")
    page = await client.get("/graphql?query=", headers={"Accept": "text/html"})

    assert response.status_code == 400
    assert response.json()["errors"][0]["message"] == "No GraphQL query found in the request"
    assert page.headers["Content-Type"] == "text/html; charset=utf-8"


async def test_a_query_string_is_utf_8(client: httpx.AsyncClient) -> None:
    document = "/graphql?query={__type(name:%22%F1%22){name}}"
    latin_1 = await client.get(document)
    utf_8 = await client.get(document.replace("%F1", "%C3%B1"))

    assert latin_1.status_code == 400
    assert latin_1.json()["errors"][0]["message"] == "Send at most 20 parameters, in UTF-8."
    assert utf_8.json() == {"data": {"__type": None}}


APOLLO_HASH = {"persistedQuery": {"version": 1, "sha256Hash": "ab" * 32}}
NOT_SUPPORTED = {
    "message": "PersistedQueryNotSupported",
    "extensions": {"code": "PERSISTED_QUERY_NOT_SUPPORTED"},
}


@pytest.mark.parametrize(
    ("accept", "status"), [("application/json", 200), ("application/graphql-response+json", 400)]
)
@pytest.mark.parametrize("query", [{}, {"query": None}, {"query": ""}])
async def test_a_hash_instead_of_a_document_is_not_supported(
    client: httpx.AsyncClient, accept: str, status: int, query: dict[str, str | None]
) -> None:
    """Apollo and urql then send the document."""
    body = {"operationName": "Me", "variables": {}, "extensions": APOLLO_HASH, **query}
    response = await client.post("/graphql", json=body, headers={"Accept": accept})

    assert response.status_code == status
    assert response.json() == {"errors": [NOT_SUPPORTED]}


async def test_nor_is_it_by_get(client: httpx.AsyncClient) -> None:
    parameters = {"operationName": "Me", "variables": "{}", "extensions": json.dumps(APOLLO_HASH)}
    response = await client.get(
        "/graphql", params=parameters, headers={"Accept": "application/json"}
    )

    assert response.status_code == 200
    assert response.json() == {"errors": [NOT_SUPPORTED]}


async def test_with_a_document_its_hash_is_ignored(client: httpx.AsyncClient) -> None:
    body = {"query": "{ __typename }", "extensions": APOLLO_HASH}
    parameters = {"query": "{ __typename }", "extensions": json.dumps(APOLLO_HASH)}

    for response in (
        await client.post("/graphql", json=body),
        await client.get("/graphql", params=parameters),
    ):
        assert response.json() == {"data": {"__typename": "Query"}}


@pytest.mark.parametrize("parameter", ["variables", "extensions"])
async def test_a_malformed_parameter_is_refused(client: httpx.AsyncClient, parameter: str) -> None:
    for value in ("{", "[]", "5", "[" * 5000):
        response = await client.get("/graphql", params={"query": ME, parameter: value})

        assert response.status_code == 400
        assert response.json()["errors"]


async def test_a_mutation_may_not_come_by_get(
    client: httpx.AsyncClient, ada: RegisteredUser
) -> None:
    document = 'mutation { updateMe(input: { username: "Forged" }) { id } }'
    by_ada = {"Authorization": f"Bearer {ada.token}"}
    response = await client.get("/graphql", params={"query": document}, headers=by_ada)

    assert response.status_code == 405
    assert response.headers["Allow"] == "POST"
    me = await client.post("/graphql", json={"query": ME}, headers=by_ada)
    assert me.json()["data"]["me"]["username"] == "Ada"


@pytest.mark.parametrize("method", ["GET", "POST"])
@pytest.mark.parametrize(
    "document",
    [
        "subscription { me { id } }",
        "subscription S { me { id } }",
        "query Q { me { id } } subscription S { me { id } }",
    ],
)
async def test_a_subscription_needs_a_response_that_can_last(
    client: httpx.AsyncClient, method: str, document: str
) -> None:
    parameters = {"query": document} | ({"operationName": "S"} if " S " in document else {})
    sent = {"params" if method == "GET" else "json": parameters}
    response = await client.request(method, "/graphql", **sent)  # type: ignore[arg-type]

    assert response.status_code == (405 if method == "GET" else 406)
    [error] = response.json()["errors"]
    assert error["extensions"] == {"code": "INVALID_INPUT"}


@pytest.mark.parametrize("method", ["PUT", "DELETE", "PATCH", "HEAD", "OPTIONS"])
async def test_other_methods_are_told_which_ones_work(
    client: httpx.AsyncClient, method: str
) -> None:
    response = await client.request(method, "/graphql")

    assert response.status_code == 405
    assert response.headers["Allow"] == "GET, POST"


async def test_of_two_operations_without_a_name_none_runs(
    client: httpx.AsyncClient, ada: RegisteredUser
) -> None:
    document = """
      mutation A { updateMe(input: { username: "Forged" }) { id } }
      mutation B { updateMe(input: { imageFile: "forged.png" }) { id } }
    """
    by_ada = {"Authorization": f"Bearer {ada.token}"}
    refused = await client.post("/graphql", json={"query": document}, headers=by_ada)
    named = await client.post(
        "/graphql", json={"query": document, "operationName": "B"}, headers=by_ada
    )
    me = await client.post("/graphql", json={"query": ME}, headers=by_ada)

    assert refused.json()["errors"][0]["extensions"]["code"] == "GRAPHQL_VALIDATION_FAILED"
    assert "errors" not in named.json()
    assert me.json()["data"]["me"]["username"] == "Ada"
    assert me.json()["data"]["me"]["imageFile"] == "forged.png"


@pytest.mark.parametrize(
    ("document", "variables", "message"),
    [
        ("{ me { id }", {}, "Syntax Error: Expected Name, found <EOF>."),
        ("{ me { id } ) }", {}, "Syntax Error: Expected Name, found ')'."),
        (
            "{ user(id: true) { id } }",
            {},
            "ID cannot represent a non-string and non-integer value.",
        ),
        (
            'mutation { register(input: { username: "a", password: "b" }) { expiresIn } }',
            {},
            "Expected value of type 'RegisterInput' to include required field 'email'.",
        ),
        (
            "mutation ($i: RegisterInput!) { register(input: $i) { expiresIn } }",
            {"i": {"username": "a", "password": "b"}},
            "Variable '$i' has invalid value: Expected value of type 'RegisterInput'"
            " to include required field 'email'.",
        ),
        (
            "mutation ($i: RegisterInput!) { register(input: $i) { expiresIn } }",
            {"i": {"username": "a", "email": "b", "password": 5}},
            "Variable '$i' has invalid value at .password: String cannot represent a non string value.",
        ),
    ],
)
async def test_a_mistake_is_said_with_what_was_expected_and_where(
    client: httpx.AsyncClient, document: str, variables: object, message: str
) -> None:
    response = await client.post("/graphql", json={"query": document, "variables": variables})

    assert response.json()["errors"][0]["message"] == message


async def test_a_browser_gets_graphiql(client: httpx.AsyncClient) -> None:
    response = await client.get("/graphql", headers={"Accept": "text/html"})

    assert response.status_code == 200
    assert response.headers["Content-Type"].startswith("text/html")
    assert "<html" in response.text


GRAPHQL_RESPONSE = "application/graphql-response+json"


@pytest.mark.parametrize(
    ("accept", "media_type"),
    [
        (GRAPHQL_RESPONSE, GRAPHQL_RESPONSE),
        ("application/json", "application/json"),
        ("*/*", "application/json"),
        ("application/*", "application/json"),
        (f"{GRAPHQL_RESPONSE}, application/json", GRAPHQL_RESPONSE),
        (f"application/json, {GRAPHQL_RESPONSE}", GRAPHQL_RESPONSE),
        (f"{GRAPHQL_RESPONSE}, application/json;q=0.9", GRAPHQL_RESPONSE),
        (f"{GRAPHQL_RESPONSE};q=0.8, application/json", "application/json"),
        (f"{GRAPHQL_RESPONSE};charset=utf-8", GRAPHQL_RESPONSE),
        ("APPLICATION/JSON ; Q=0.5, */*;q=0", "application/json"),
        ("text/html, application/json", "application/json"),
        ("", GRAPHQL_RESPONSE),
    ],
)
async def test_the_answer_has_the_type_that_was_asked_for(
    client: httpx.AsyncClient, accept: str, media_type: str
) -> None:
    response = await client.post(
        "/graphql", json={"query": "{ __typename }"}, headers={"Accept": accept}
    )

    assert response.status_code == 200
    assert response.headers["Content-Type"] == media_type
    assert response.json() == {"data": {"__typename": "Query"}}


@pytest.mark.parametrize(
    "accept",
    ["text/html", "image/*", "application/json;q=0", "text/event-stream", "multipart/mixed", ";,;"],
)
async def test_what_takes_neither_type_is_not_acceptable_and_nothing_runs(
    client: httpx.AsyncClient, ada: RegisteredUser, accept: str
) -> None:
    document = 'mutation { updateMe(input: { username: "Forged" }) { id } }'
    by_ada = {"Authorization": f"Bearer {ada.token}"}
    refused = await client.post(
        "/graphql", json={"query": document}, headers={"Accept": accept, **by_ada}
    )
    me = await client.post("/graphql", json={"query": ME}, headers=by_ada)

    assert refused.status_code == 406
    assert refused.json()["errors"]
    assert me.json()["data"]["me"]["username"] == "Ada"


@pytest.mark.parametrize(
    ("document", "variables", "status", "has_data"),
    [
        ("{ __typename }", {}, 200, True),
        ("{ me { id } __typename }", {}, 294, True),
        ('mutation { login(username: "A", password: "B") { expiresIn } }', {}, 294, True),
        ("{", {}, 400, False),
        ("{ nothing }", {}, 400, False),
        (USER, {}, 400, False),
        (USER, {"id": [[]]}, 400, False),
        ("query A { __typename } query B { __typename }", {}, 400, False),
        ("{ " + "a " * 2000 + "}", {}, 400, False),
    ],
)
async def test_the_status_tells_what_became_of_the_request(
    client: httpx.AsyncClient,
    document: str,
    variables: object,
    status: int,
    has_data: bool,
) -> None:
    body = {"query": document, "variables": variables}
    strict = await client.post("/graphql", json=body, headers={"Accept": GRAPHQL_RESPONSE})
    legacy = await client.post("/graphql", json=body, headers={"Accept": "application/json"})

    assert strict.status_code == status
    assert legacy.status_code == 200
    assert ("data" in strict.json()) is has_data
    assert strict.json() == legacy.json()


@pytest.mark.parametrize(
    ("document", "name"),
    [
        ("{ __typename }", "Nobody"),
        ("query A { __typename }", "B"),
        ("fragment F on Query { __typename }", None),
    ],
)
async def test_an_operation_that_is_not_there_is_an_error_of_the_graph(
    client: httpx.AsyncClient, document: str, name: str | None
) -> None:
    body = {"query": document, "operationName": name}
    strict = await client.post("/graphql", json=body, headers={"Accept": GRAPHQL_RESPONSE})
    legacy = await client.post("/graphql", json=body)

    assert (strict.status_code, legacy.status_code) == (400, 200)
    for response in (strict, legacy):
        [error] = response.json()["errors"]
        assert error["extensions"]["code"] == "GRAPHQL_VALIDATION_FAILED"


async def test_a_program_that_asks_for_nothing_gets_no_page(client: httpx.AsyncClient) -> None:
    response = await client.get("/graphql")

    assert response.status_code == 400
    assert response.json()["errors"]


async def test_an_upload_is_not_read(client: httpx.AsyncClient) -> None:
    response = await client.post(
        "/graphql",
        data={"operations": '{"query": "{ __typename }"}', "map": "{}"},
        files={"0": b"content"},
    )

    assert response.status_code == 415
