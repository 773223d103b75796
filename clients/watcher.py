"""A subscriber in Node: ``web/examples/src/watch.ts``."""

import json
import subprocess
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from threading import Condition, Thread
from typing import Any

from tests.servers import TIMEOUT_SECONDS, Server

EXAMPLES = Path(__file__).parent.parent / "web" / "examples"
EVENTS = "subscription Events { securityEvents { kind } }"


class Watcher:
    """What happens to a subscriber, as it writes it."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        self._process = process
        self._lines: deque[str] = deque()
        self._has_lines = Condition()
        self._reader = Thread(target=self._read, daemon=True)
        self._reader.start()

    def next(self, kind: str) -> Any:
        """Return the value of what happens next, which is of this kind."""
        happened = self._take()
        assert list(happened) == [kind], happened
        return happened[kind]

    def next_event(self) -> str:
        """Return the kind of the next security event."""
        kind: str = self.next("next")["securityEvents"]["kind"]
        return kind

    def until(self, kind: str) -> list[dict[str, Any]]:
        """Return what happens before something of this kind."""
        happened = []
        while kind not in (latest := self._take()):
            happened.append(latest)
        return happened

    def is_told(self, within: float) -> bool:
        """Return whether something happens in so many seconds, or has, without taking it."""
        with self._has_lines:
            return self._has_lines.wait_for(lambda: bool(self._lines), within)

    def rest(self) -> list[str]:
        """Return what is left when the program has nothing to do any more, and so has ended."""
        assert self._process.stdin
        self._process.stdin.close()
        assert self._process.wait(TIMEOUT_SECONDS) == 0
        self._reader.join(TIMEOUT_SECONDS)
        return list(self._lines)

    def tell(self, line: str) -> None:
        assert self._process.stdin
        self._process.stdin.write(f"{line}\n")
        self._process.stdin.flush()

    def _take(self) -> dict[str, Any]:
        assert self.is_told(TIMEOUT_SECONDS), "nothing happens"
        happened: dict[str, Any] = json.loads(self._lines.popleft())
        return happened

    def _read(self) -> None:
        assert self._process.stdout
        for line in self._process.stdout:
            with self._has_lines:
                self._lines.append(line)
                self._has_lines.notify()


@contextmanager
def watching(
    server: Server, *tokens: str, protocol: str = "ws", query: str = EVENTS
) -> Iterator[Watcher]:
    """Run a subscriber, each of whose connections takes the next of the tokens."""
    program = (str(EXAMPLES.parent / "node_modules" / ".bin" / "tsx"), "src/watch.ts")
    with subprocess.Popen(
        [*program, protocol, f"{server.url}/graphql", query, *tokens],
        cwd=EXAMPLES,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as process:
        try:
            yield Watcher(process)
        finally:
            process.terminate()
