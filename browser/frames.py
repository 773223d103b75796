"""What a page receives over its WebSockets, from before a test waits for it."""

import time

from playwright.sync_api import Page, WebSocket

from tests.servers import TIMEOUT_SECONDS


def frames_of(page: Page) -> list[str]:
    """Return a list to which each frame is added that the page receives from now on."""
    received: list[str] = []

    def listen(socket: WebSocket) -> None:
        socket.on("framereceived", lambda frame: received.append(str(frame)))

    page.on("websocket", listen)
    return received


def wait_for_frame(page: Page, frames: list[str], text: str) -> None:
    """Wait until a frame has a text."""
    deadline = time.monotonic() + TIMEOUT_SECONDS
    while not any(text in frame for frame in frames):
        assert time.monotonic() < deadline
        page.wait_for_timeout(20)
