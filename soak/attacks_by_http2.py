"""What a hostile client without a token sends over HTTP/2, by kind: only nginx understands it.

One connection has up to 128 requests under way, of a few bytes each.
"""

from collections.abc import Callable, Iterator
from itertools import chain, count, repeat

from soak.attacks_by_http import (
    CONTENTS,
    PAGE,
    Attack,
    body_of,
    costly_new_documents,
    logins,
    refresh_tokens,
)

# RFC 9113 sections 6 and 7.
DATA, HEADERS, RST_STREAM, SETTINGS, WINDOW_UPDATE = 0x0, 0x1, 0x3, 0x4, 0x8
END_STREAM, END_HEADERS = 0x1, 0x4
INITIAL_WINDOW_SIZE = 0x4
CANCEL = 0x8
LARGEST_WINDOW = 2**31 - 1
DEFAULT_WINDOW = 65_535


def h2_frame(type: int, flags: int, stream: int, payload: bytes) -> bytes:
    return len(payload).to_bytes(3) + bytes([type, flags]) + stream.to_bytes(4) + payload


def literal(index: int, value: str) -> bytes:
    """Return a header field without indexing, whose name is an entry of the static table (RFC 7541
    section 6.2.2)."""
    name = bytes([index]) if index < 15 else bytes([15, index - 15])
    return name + bytes([len(value)]) + value.encode()


# :method POST and :scheme https are entries of the static table, of which 4 is :path, 1 :authority,
# and 31 content-type.
POST_HEAD = bytes([0x83, 0x87]) + b"".join(
    (literal(4, "/graphql"), literal(1, "a"), literal(31, "application/json"))
)

# Windows of two gigabytes: the server need not wait for the client.
PREFACE = (
    b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"
    + h2_frame(SETTINGS, 0, 0, INITIAL_WINDOW_SIZE.to_bytes(2) + LARGEST_WINDOW.to_bytes(4))
    + h2_frame(WINDOW_UPDATE, 0, 0, (LARGEST_WINDOW - DEFAULT_WINDOW).to_bytes(4))
)


def post(stream: int, body: str) -> bytes:
    return h2_frame(HEADERS, END_HEADERS, stream, POST_HEAD) + h2_frame(
        DATA, END_STREAM, stream, body.encode()
    )


def requests(bodies: Callable[[], Iterator[str]]) -> Attack:
    return Attack(
        lambda: chain(
            [PREFACE],
            (post(stream, body) for stream, body in zip(count(1, 2), bodies(), strict=False)),
        ),
        protocol="h2",
    )


def always(document: str) -> Callable[[], Iterator[str]]:
    return lambda: repeat(body_of(document))


def cancelled() -> Iterator[bytes]:
    """Yield requests that are cancelled as soon as they are sent ("rapid reset")."""
    yield PREFACE
    for stream in count(1, 2):
        yield post(stream, body_of(PAGE))
        yield h2_frame(RST_STREAM, 0, stream, CANCEL.to_bytes(4))


HTTP2_ATTACKS = {
    "h2-small-documents": requests(always("{__typename}")),
    "h2-costly-new-documents": requests(costly_new_documents),
    "h2-pages": requests(always(PAGE)),
    "h2-contents": requests(always(CONTENTS)),
    "h2-cancelled": Attack(cancelled, protocol="h2"),
    "h2-logins": requests(logins),
    "h2-refresh-tokens": requests(refresh_tokens),
}
