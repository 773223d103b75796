"""A TCP proxy in front of a server that can hold back the answer to one refresh."""

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from socketserver import BaseRequestHandler, ThreadingTCPServer

REFRESH = b"mutation Refresh"


class HoldingProxy:
    """Forwards connections, and counts the refreshes."""

    def __init__(self, port: int) -> None:
        self._port = port
        self._holds_next = False
        self._has_answer = threading.Event()
        self._is_released = threading.Event()
        self.refreshes = 0

    @contextmanager
    def holding(self) -> Iterator[None]:
        """Hold back the answer to the first refresh in the block until the block ends."""
        self._holds_next = True
        try:
            yield
        finally:
            self._is_released.set()

    def has_answer(self) -> bool:
        """Return whether the server has answered the refresh that is held back."""
        return self._has_answer.is_set()

    @contextmanager
    def url(self) -> Iterator[str]:
        proxy = self

        class Handler(BaseRequestHandler):
            def handle(self) -> None:
                proxy._forward(self.request)

        with ThreadingTCPServer(("127.0.0.1", 0), Handler) as server:
            server.daemon_threads = True
            threading.Thread(target=server.serve_forever, daemon=True).start()
            try:
                yield f"http://127.0.0.1:{server.server_address[1]}"
            finally:
                self._is_released.set()
                server.shutdown()

    def _forward(self, browser: socket.socket) -> None:
        is_held = threading.Event()
        with socket.create_connection(("127.0.0.1", self._port)) as server, suppress(OSError):
            answers = threading.Thread(target=self._answer, args=(server, browser, is_held))
            answers.start()
            while data := browser.recv(65536):
                if REFRESH in data:
                    self.refreshes += 1
                    if self._holds_next:
                        self._holds_next = False
                        is_held.set()
                server.sendall(data)
            server.shutdown(socket.SHUT_WR)
            answers.join()

    def _answer(
        self, server: socket.socket, browser: socket.socket, is_held: threading.Event
    ) -> None:
        with suppress(OSError):
            while data := server.recv(65536):
                if is_held.is_set():
                    self._has_answer.set()
                    self._is_released.wait()
                browser.sendall(data)
