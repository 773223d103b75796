"""The parent of several workers. What it does at which signal is said in `server/serve.py`.

uvicorn's own supervisor is not used: it starts a worker that cannot start again and again, exits with 0 when none could, lets
workers serve on when it is killed, waits without end for one that hangs at its end, and ends all of them when one
replacement fails.
"""

import asyncio
import logging
import os
import signal
import socket
import sys
from asyncio.subprocess import Process
from collections.abc import Awaitable, Callable
from contextlib import suppress
from datetime import timedelta

from server.shutdown import TO_CLOSE

logger = logging.getLogger("gatehouse")

# How often a worker shows that it lives. One whose event loop stands still does not.
BEAT = timedelta(seconds=2)
SILENCE = timedelta(seconds=30)

# The first may take as long as it takes: it brings an SQLite file up to date.
TO_START = timedelta(minutes=1)

# When a worker could not be replaced while others serve.
TRY_AGAIN_AFTER = timedelta(seconds=10)


class CannotStart(Exception):
    """Not one worker serves. Why, the last of them has said itself."""


class Worker:
    """A worker's process, and the lifeline between it and the parent: a pair of sockets by which each notices that the other
    is gone, however it went. A worker sends a byte each ``BEAT`` from when it serves, and drains at the end of what it
    reads."""

    def __init__(
        self, process: Process, beats: asyncio.StreamReader, lifeline: asyncio.StreamWriter
    ) -> None:
        self.pid = process.pid
        self.serves = False
        self.serves_or_has_ended = asyncio.Event()
        self._process = process
        self._beats = beats
        self._lifeline = lifeline

    @classmethod
    async def start(cls, workers: int, listener: socket.socket) -> "Worker":
        ours, theirs = socket.socketpair()
        with theirs:
            process = await asyncio.create_subprocess_exec(
                sys.executable,
                "-P",  # what lies in the folder of the day is not imported
                "-m",
                "server.worker",
                *(str(end.fileno()) for end in (listener, theirs)),
                pass_fds=(listener.fileno(), theirs.fileno()),
                env={**os.environ, "WORKERS": str(workers)},
                # Ctrl+C in a terminal is sent to the whole group, and is for the parent.
                process_group=0,
            )
        return cls(process, *await asyncio.open_connection(sock=ours))

    async def watch(self, silence: timedelta, *, to_start: timedelta) -> int:
        """Until it has ended: how. Kills it when it takes too long to start, or has served and is silent for so long."""
        missed = timedelta()
        while missed < (silence if self.serves else to_start):
            try:
                # Beat by beat, so that a machine that was asleep counts as one.
                async with asyncio.timeout(BEAT.total_seconds() * 2):
                    beat = await self._beats.read(64)
            except TimeoutError:
                missed += BEAT * 2
            else:
                if not beat:
                    break
                missed, self.serves = timedelta(), True
                self.serves_or_has_ended.set()
        else:
            logger.error("Worker %d shows no sign of life, and is killed.", self.pid)
            self.kill()
        ended = await self._process.wait()
        self.serves_or_has_ended.set()
        return ended

    def let_go(self) -> None:
        """Have it drain. One that does not serve yet has nothing to finish."""
        self._lifeline.close()
        if not self.serves:
            with suppress(ProcessLookupError):
                self._process.terminate()

    def kill(self) -> None:
        with suppress(ProcessLookupError):
            self._process.kill()


class Supervisor:
    def __init__(
        self,
        workers: int,
        listener: socket.socket,
        *,
        grace: timedelta,
        when_it_serves: Callable[[], None],
        when_one_ends: Callable[[int], None],
    ) -> None:
        self._workers = workers
        self._listener = listener
        self._grace = grace
        self._when_it_serves = when_it_serves
        self._when_one_ends = when_one_ends
        # All there are, each with the task that watches it, and those of them that serve and are to go on.
        self._alive: dict[Worker, asyncio.Task[None]] = {}
        self._serving: set[Worker] = set()
        self._is_stopping = False
        self._is_restart_due = False
        self._jobs: asyncio.Queue[Callable[[], Awaitable[None]]] = asyncio.Queue()

    async def run(self) -> None:
        """Until SIGTERM or SIGINT. Raises CannotStart. Closes the listener."""
        serving = asyncio.create_task(self._serve())
        loop = asyncio.get_running_loop()
        for stop in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(stop, self._stop, serving, stop)
        loop.add_signal_handler(signal.SIGHUP, self._restart_soon)
        try:
            await asyncio.wait((serving,))
        finally:
            # While anyone has it open, people are let in whom nobody answers.
            self._listener.close()
            await asyncio.gather(*(self._retire(worker) for worker in tuple(self._alive)))
        if not serving.cancelled():
            serving.result()

    def _stop(self, serving: asyncio.Task[None], stop: signal.Signals) -> None:
        if not self._is_stopping:
            self._is_stopping = True
            serving.cancel()
            return
        for worker in self._alive:
            worker.kill()
        signal.signal(stop, signal.SIG_DFL)
        signal.raise_signal(stop)

    async def _serve(self) -> None:
        # The first alone: what keeps it from serving would keep all of them, and is said once.
        if not await self._start(timedelta.max):
            raise CannotStart
        self._when_it_serves()
        await self._fill()
        while True:
            job = await self._jobs.get()
            await job()

    async def _fill(self) -> None:
        if not self._serving and not await self._start():
            raise CannotStart
        missing = self._workers - len(self._serving)
        if all(await asyncio.gather(*(self._start() for _ in range(missing)))):
            logger.info("%d workers serve.", len(self._serving))
        else:
            logger.error("A worker could not be started, which will be tried again.")
            asyncio.get_running_loop().call_later(
                TRY_AGAIN_AFTER.total_seconds(), self._jobs.put_nowait, self._fill
            )

    def _restart_soon(self) -> None:
        """However often it is asked for. Once more if one is at it, as the settings may have changed since it began."""
        if not self._is_restart_due:
            self._is_restart_due = True
            self._jobs.put_nowait(self._restart)

    async def _restart(self) -> None:
        self._is_restart_due = False
        logger.info("Replacing the workers, one by one.")
        for old in tuple(self._serving):
            if not await self._start():
                logger.error("The new worker could not be started: the others stay.")
                return
            if old in self._serving:
                await self._retire(old)
        logger.info("All workers are new.")

    async def _start(self, to_start: timedelta = TO_START) -> bool:
        """Whether there is a worker more that serves."""
        try:
            worker = await Worker.start(self._workers, self._listener)
        except OSError as error:
            logger.error("No process could be started: %s", error.strerror)
            return False
        self._alive[worker] = asyncio.create_task(self._see_out(worker, to_start))
        await worker.serves_or_has_ended.wait()
        if not worker.serves or worker not in self._alive:
            return False
        self._serving.add(worker)
        return True

    async def _see_out(self, worker: Worker, to_start: timedelta) -> None:
        ended = await worker.watch(self._grace + SILENCE, to_start=to_start)
        del self._alive[worker]
        self._when_one_ends(worker.pid)
        if self._is_stopping:
            return
        if ended < 0 and not worker.serves:
            logger.error("Worker %d was killed (%d) before it served.", worker.pid, ended)
        if worker in self._serving:
            self._serving.remove(worker)
            logger.error("Worker %d has ended (%d), and is replaced.", worker.pid, ended)
            self._jobs.put_nowait(self._fill)

    async def _retire(self, worker: Worker) -> None:
        self._serving.discard(worker)
        gone = self._alive[worker]
        worker.let_go()
        await asyncio.wait((gone,), timeout=(self._grace + 4 * TO_CLOSE).total_seconds())
        if not gone.done():
            logger.error("Worker %d does not end, and is killed.", worker.pid)
            worker.kill()
            await gone
