"""What a hostile client without a token sends over HTTP/1.1, by kind.

`attacks_by_websocket` and `attacks_by_http2` have the other kinds.
"""

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import count, cycle
from secrets import token_hex
from urllib.parse import urlencode

from tests.worst_documents import WORST

JSON = "application/json"
FORM = "application/x-www-form-urlencoded"

# As large as a body may be.
MAX_BODY_BYTES = 1024 * 1024

# As much of the graph as a document may read without a token, within MAX_QUERY_COST.
AUTHOR = "{id username imageFile createdAt __typename}"
PAGE = (
    "{posts(first:100){edges{cursor node{id title createdAt updatedAt __typename "
    + " ".join(f"a{n}:author{AUTHOR}" for n in range(4))
    + "}}pageInfo{hasNextPage endCursor}}}"
)
# The default page has some 4 MB if the posts are as long as they may be.
CONTENTS = "{posts{edges{node{content}}}}"
SCHEMA_FIELDS = "name description args{name type{name kind ofType{name kind}}} type{name kind}"
INTROSPECTION = f"{{__schema{{types{{name description kind fields{{{SCHEMA_FIELDS}}}}}}}}}"

LOGIN = "mutation($u:String!,$p:String!){login(username:$u,password:$p){accessToken}}"
REFRESH = "mutation($t:String!){refresh(refreshToken:$t){accessToken}}"
EVENTS = "query($k:[SecurityEventKind!]){me{securityEvents(kinds:$k){edges{node{id}}}}}"
USER = "query($id:ID!){user(id:$id){id}}"


@dataclass(frozen=True)
class Attack:
    """What each connection sends: ``handshake``, then ``messages`` as soon as the handshake is
    answered.

    A connection ends after ``messages_per_connection`` of them are answered (if it ``reads``) and
    after ``held_seconds``. Otherwise, it sends without waiting for responses.
    """

    messages: Callable[[], Iterator[bytes]]
    protocol: str = "http/1.1"
    handshake: bytes = b""
    reads: bool = True
    messages_per_connection: int | None = None
    held_seconds: float = 0.0


def request(method: str, path: str, body: str | bytes = b"", *headers: str) -> bytes:
    """Return a request with as few bytes as possible."""
    data = body.encode() if isinstance(body, str) else body
    length = [f"Content-Length:{len(data)}"] if data else []
    head = [f"{method} {path} HTTP/1.1", "Host:a", *headers, *length, "", ""]
    return "\r\n".join(head).encode() + data


def post(body: str | bytes, path: str = "/graphql", type: str = JSON) -> bytes:
    return request("POST", path, body, f"Content-Type:{type}")


def body_of(document: str, **variables: object) -> str:
    """Return the body of a GraphQL request, or the payload of an operation."""
    content = {"query": document, **({"variables": variables} if variables else {})}
    return json.dumps(content, separators=(",", ":"))


def repeated(*messages: bytes) -> Callable[[], Iterator[bytes]]:
    return lambda: cycle(messages)


def new_documents() -> Iterator[str]:
    """Yield the bodies of documents that differ in a comment."""
    prefix = token_hex(4)
    for number in count():
        yield body_of(f"{{__typename}}#{prefix}{number}")


def costly_new_documents() -> Iterator[str]:
    prefix = token_hex(4)
    documents = cycle(document for document in WORST.values() if len(document) < 14_000)
    for number, document in enumerate(documents):
        yield body_of(f"{document}#{prefix}{number}")


def posts_of(bodies: Callable[[], Iterator[str]]) -> Callable[[], Iterator[bytes]]:
    return lambda: (post(body) for body in bodies())


def logins() -> Iterator[str]:
    while True:
        yield body_of(LOGIN, u=f"u{token_hex(6)}", p="correct horse battery")


def refresh_tokens() -> Iterator[str]:
    while True:
        yield body_of(REFRESH, t=token_hex(32))


def unknown_users() -> Iterator[str]:
    while True:
        id = token_hex(16)
        yield body_of(USER, id=f"{id[:8]}-{id[8:12]}-7{id[13:16]}-a{id[17:20]}-{id[20:]}")


def forged_tokens() -> Iterator[bytes]:
    """Yield requests with access tokens that differ, so that none is in a cache."""
    head = "eyJhbGciOiJIUzI1NiIsInR5cCI6ImF0K2p3dCJ9"
    payload = "eyJzdWIiOiIwMTkzNjJmMC03YjAwLTdjMDAtOGMwMC0wMDAwMDAwMDAwMDAiLCJleHAiOjk5OTk5OTk5OTl9"
    while True:
        token = f"{head}.{payload}.{token_hex(21)}A"
        headers = f"Content-Type:{JSON}", f"Authorization:Bearer {token}"
        yield request("POST", "/graphql", body_of("{me{id}}"), *headers)


def password_grants() -> Iterator[bytes]:
    while True:
        fields = {"grant_type": "password", "username": f"u{token_hex(6)}", "password": "wrong one"}
        yield post(urlencode(fields), "/token", FORM)


def nested(depth: int) -> str:
    return "[" * depth + "]" * depth


def body_with(variables: str) -> bytes:
    """Return a body of at most MAX_BODY_BYTES with variables as JSON."""
    body = f'{{"query":"{{__typename}}","variables":{variables}}}'
    assert len(body) <= MAX_BODY_BYTES, len(body)
    return post(body)


def repeat_to_fill(text: str, bytes: int = MAX_BODY_BYTES - 100) -> str:
    return text * (bytes // len(text))


def list_of(item: str, bytes: int = MAX_BODY_BYTES - 100) -> str:
    return f"[{repeat_to_fill(item + ',', bytes)[:-1]}]"


def chunked(size: int, times: int) -> bytes:
    head = request("POST", "/graphql", b"", f"Content-Type:{JSON}", "Transfer-Encoding:chunked")
    return head + f"{size:x}\r\n{' ' * size}\r\n".encode() * times + b"0\r\n\r\n"


LARGE_BODIES = [
    body_with(f'{{"a":{list_of(nested(400))}}}'),
    body_with(f'{{"a":{"[" * 500_000}'),
    body_with("{" + ",".join(f'"{n:x}":0' for n in range(95_000)) + "}"),
    body_with(f'{{"a":"{repeat_to_fill(chr(92) + "u0041")}"}}'),
    body_with(f'{{"a":{list_of("{}")}}}'),
    body_with(f'{{"a":{list_of("1e9")}}}'),
    post(body_of("{__typename}" + " " * 1_000_000)),
    post(body_of(LOGIN, u=" " * 1_000_000, p="x")),
]

BROKEN_JSON = [
    post(body)
    for body in (
        b"{",
        b"[]",
        b"[{}]",
        b"1",
        b"\xff",
        b'{"query":1}',
        b'{"query":"{"}',
        b"{}",
        b"NaN",
    )
]

BROKEN_HTTP = [
    b"NONSENSE\r\n\r\n",
    bytes(range(256)),
    b"GET / HTTP/1.1\r\n\r\n",
    b"GET / HTTP/1.1\r\nHost:a\r\nHost:b\r\n\r\n",
    b"GET / HTTP/9.9\r\nHost:a\r\n\r\n",
    b"POST /graphql HTTP/1.1\r\nHost:a\r\nContent-Length:x\r\n\r\n",
    b"POST /graphql HTTP/1.1\r\nHost:a\r\nContent-Length:1\r\nTransfer-Encoding:chunked\r\n\r\n",
    b"CONNECT a:1 HTTP/1.1\r\nHost:a\r\n\r\n",
    b"GET /graphql HTTP/1.1\r\nHost:a\r\nUpgrade:websocket\r\nConnection:upgrade\r\n\r\n",
]

LONG_HEADS = [
    request("GET", "/", b"", *(f"X{n}:" for n in range(8_000))),
    request("GET", "/", b"", f"X:{'x' * 60_000}"),
    request("GET", f"/{'x' * 60_000}"),
]

PAGES = ("/docs", "/docs/start.js", "/openapi.json", "/health/ready", "/health/live", "/graphql")
METADATA = ("/.well-known/oauth-authorization-server", "/.well-known/jwks.json", "/userinfo")

GARBAGE = [
    post(body, "/token", FORM)
    for body in ("grant_type=password", "%00=%ff&&==", "&".join("a=b" for _ in range(4000)))
]

HTTP_ATTACKS = {
    "new-documents": Attack(posts_of(new_documents)),
    "costly-new-documents": Attack(posts_of(costly_new_documents)),
    "small-documents": Attack(repeated(post(body_of("{__typename}")))),
    "pages": Attack(repeated(post(body_of(PAGE)))),
    "pages-abandoned": Attack(
        repeated(post(body_of(PAGE))), reads=False, messages_per_connection=1, held_seconds=0.01
    ),
    "contents": Attack(repeated(post(body_of(CONTENTS)))),
    "contents-unread": Attack(repeated(post(body_of(CONTENTS))), reads=False),
    "contents-abandoned": Attack(
        repeated(post(body_of(CONTENTS))), reads=False, messages_per_connection=1, held_seconds=0.1
    ),
    "introspection": Attack(repeated(post(body_of(INTROSPECTION)))),
    "unknown-users": Attack(posts_of(unknown_users)),
    "forged-tokens": Attack(forged_tokens),
    "long-lists": Attack(repeated(post(body_of(EVENTS, k=["LOGGED_IN"] * 60_000)))),
    "large-bodies": Attack(repeated(*LARGE_BODIES)),
    "broken-json": Attack(repeated(*BROKEN_JSON)),
    "broken-http": Attack(repeated(*BROKEN_HTTP), messages_per_connection=1),
    "long-heads": Attack(repeated(*LONG_HEADS), messages_per_connection=1),
    "chunks": Attack(repeated(chunked(1, 10_000), chunked(16, 30_000))),
    "get-root": Attack(repeated(request("GET", "/"))),
    "get-pages": Attack(repeated(*(request("GET", path) for path in PAGES + METADATA))),
    "connections": Attack(lambda: iter(()), messages_per_connection=0, reads=False),
    "connections-with-a-request": Attack(
        repeated(post(body_of("{__typename}"))), messages_per_connection=1
    ),
    "logins": Attack(posts_of(logins)),
    "password-grants": Attack(password_grants),
    "refresh-tokens": Attack(posts_of(refresh_tokens)),
    "token-garbage": Attack(repeated(*GARBAGE)),
}
