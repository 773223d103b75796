"""What a hostile client without a token sends over WebSockets, by kind."""

import json
import zlib
from collections.abc import Callable, Iterator
from itertools import chain, count, repeat

from websockets.frames import Opcode

from soak.attacks_by_http import (
    CONTENTS,
    MAX_BODY_BYTES,
    PAGE,
    Attack,
    body_of,
    costly_new_documents,
    list_of,
    nested,
    new_documents,
    repeated,
)
from tests.websockets import frame

HANDSHAKE = (
    b"GET /graphql HTTP/1.1\r\nHost:a\r\nUpgrade:websocket\r\nConnection:Upgrade\r\n"
    b"Sec-WebSocket-Key:dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version:13\r\n"
    b"Sec-WebSocket-Protocol:graphql-transport-ws\r\n"
    b"Sec-WebSocket-Extensions:permessage-deflate\r\n\r\n"
)
INIT = frame('{"type":"connection_init"}')
PING = frame('{"type":"ping"}')


def socket(messages: Callable[[], Iterator[bytes]], **options: object) -> Attack:
    """Return an attack over an initialized socket."""
    return Attack(lambda: chain([INIT], messages()), handshake=HANDSHAKE, **options)  # type: ignore[arg-type]


def subscribed(payloads: Callable[[], Iterator[str]]) -> Callable[[], Iterator[bytes]]:
    """Return messages that start an operation for each payload."""
    return lambda: (
        frame(f'{{"id":"{id}","type":"subscribe","payload":{payload}}}')
        for id, payload in zip(count(), payloads(), strict=False)
    )


def always(document: str) -> Callable[[], Iterator[str]]:
    return lambda: repeat(body_of(document))


def started_and_completed() -> Iterator[bytes]:
    for id, start in zip(count(), subscribed(always(PAGE))(), strict=False):
        yield start
        yield frame(json.dumps({"id": str(id), "type": "complete"}))


def compressed() -> bytes:
    """Return a frame that would inflate to a thousand times its size."""
    deflater = zlib.compressobj(wbits=-15)
    data = deflater.compress(b" " * MAX_BODY_BYTES) + deflater.flush(zlib.Z_SYNC_FLUSH)
    sent = bytearray(frame(data[:-4], Opcode.BINARY))
    sent[0] |= 0x40  # RSV1, which says that it is compressed (RFC 7692 section 6)
    return bytes(sent)


def ping_with(payload: str) -> bytes:
    return frame(f'{{"type":"ping","payload":{{"a":{payload}}}}}')


WEBSOCKET_ATTACKS = {
    "ws-pings": socket(repeated(PING * 50)),
    "ws-ping-frames": socket(repeated(frame(b"", Opcode.PING) * 200)),
    "ws-parts": socket(
        lambda: chain([frame("{", fin=False)], repeat(frame(b"", Opcode.CONT, fin=False) * 200))
    ),
    "ws-small-documents": socket(subscribed(always("{__typename}"))),
    "ws-new-documents": socket(subscribed(new_documents)),
    "ws-costly-new-documents": socket(subscribed(costly_new_documents)),
    "ws-pages": socket(subscribed(always(PAGE))),
    "ws-pages-completed": socket(started_and_completed),
    "ws-contents": socket(subscribed(always(CONTENTS))),
    "ws-contents-unread": socket(subscribed(always(CONTENTS)), reads=False),
    "ws-large-messages": socket(
        repeated(ping_with(list_of(nested(400))), ping_with(list_of("{}")))
    ),
    "ws-compressed": socket(repeated(compressed())),
    "ws-broken-messages": socket(
        repeated(frame("{"), frame("[]"), frame(b"\xff"), frame('{"type":"x"}')),
        messages_per_connection=2,
    ),
    "ws-init-floods": socket(repeated(INIT)),
    "ws-opened-and-closed": Attack(
        lambda: iter(()), handshake=HANDSHAKE, messages_per_connection=0, reads=False
    ),
    "ws-opened-and-used": socket(subscribed(always("{__typename}")), messages_per_connection=2),
}
