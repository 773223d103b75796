"""The parent process of several workers. `server/serve.py` lists the signals.

It replaces uvicorn's own supervisor, which restarts a failing worker forever, exits with 0 if no
worker could start, leaves the workers running when it is killed, waits forever for a worker that
hangs during shutdown, and stops all workers if one replacement fails.
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

from server.process import holding_hangups, release_hangups
from server.shutdown import CLOSE_TIMEOUT

logger = logging.getLogger("gatehouse")

# A worker sends a heartbeat this often, from its event loop. A blocked loop sends none.
HEARTBEAT = timedelta(seconds=2)

# In addition to the grace period, during which a worker that drains sends none.
HEARTBEAT_TIMEOUT = timedelta(seconds=30)

# Except for the first worker, which has no limit: it may have to migrate an SQLite file.
START_TIMEOUT = timedelta(minutes=1)

# After a worker could not be replaced while others serve.
RETRY_AFTER = timedelta(seconds=10)


class CannotStart(Exception):
    """No worker serves. The last one to start has logged the reason."""


class Worker:
    """The process of a worker, as its parent sees it.

    A pair of sockets connects the two, so that each notices the end of the other, even if it was
    killed. A worker sends a byte every ``HEARTBEAT`` once it serves, and drains when the parent
    closes its socket.
    """

    def __init__(
        self, process: Process, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        self.pid = process.pid
        self.is_serving = False
        self.serving_or_exited = asyncio.Event()
        self._process = process
        self._heartbeats = reader
        self._connection = writer

    @classmethod
    async def start(cls, workers: int, listeners: list[socket.socket]) -> "Worker":
        """Start the process of a worker. Raises OSError."""
        ours, theirs = socket.socketpair()
        passed = [end.fileno() for end in (*listeners, theirs)]
        # The worker holds it for good: it is for its parent.
        with theirs, holding_hangups():
            process = await asyncio.create_subprocess_exec(
                sys.executable,
                "-P",  # do not import from the current folder
                "-m",
                "server",
                *map(str, passed),
                pass_fds=passed,
                # With the prefix it wins over both names of the parent's environment.
                env={**os.environ, "GATEHOUSE_WORKERS": str(workers)},
                # A group of its own: a terminal sends Ctrl+C to a whole group, and the parent
                # handles it.
                process_group=0,
            )
        return cls(process, *await asyncio.open_connection(sock=ours))

    async def wait(self, *, start_timeout: timedelta, heartbeat_timeout: timedelta) -> int:
        """Wait for the worker to exit, and return its exit code.

        Kills it if it does not serve in time, or serves and then sends no heartbeat in time.
        """
        missed = timedelta()
        while missed < (heartbeat_timeout if self.is_serving else start_timeout):
            try:
                # In short steps, so that the time for which the machine sleeps counts as one step.
                async with asyncio.timeout(HEARTBEAT.total_seconds() * 2):
                    received = await self._heartbeats.read(64)
            except TimeoutError:
                missed += HEARTBEAT * 2
            else:
                if not received:
                    break
                missed, self.is_serving = timedelta(), True
                self.serving_or_exited.set()
        else:
            logger.error("Worker %d missed its heartbeat; killing it.", self.pid)
            self.kill()
        exit_code = await self._process.wait()
        self.serving_or_exited.set()
        return exit_code

    def stop(self) -> None:
        """Tell the worker to drain, or terminate it if it does not serve yet."""
        self._connection.close()
        if not self.is_serving:
            with suppress(ProcessLookupError):
                self._process.terminate()

    def kill(self) -> None:
        with suppress(ProcessLookupError):
            self._process.kill()


class Supervisor:
    """Starts the workers and replaces those that exit.

    Calls ``on_ready`` when the first worker serves, and ``on_worker_exit`` with the process id of
    each worker that exits.
    """

    def __init__(
        self,
        workers: int,
        listeners: list[socket.socket],
        *,
        grace: timedelta,
        on_ready: Callable[[], None],
        on_worker_exit: Callable[[int], None],
    ) -> None:
        self._workers = workers
        self._listeners = listeners
        self._grace = grace
        self._on_ready = on_ready
        self._on_worker_exit = on_worker_exit
        # All running workers, each with the task that waits for its exit.
        self._running: dict[Worker, asyncio.Task[None]] = {}
        # Those of them that serve, except a worker that is being stopped.
        self._serving: set[Worker] = set()
        self._is_stopping = False
        self._is_restart_due = False
        self._jobs: asyncio.Queue[Callable[[], Awaitable[None]]] = asyncio.Queue()

    async def run(self) -> None:
        """Serve until SIGTERM or SIGINT, then close the listeners. Raises CannotStart."""
        serving = asyncio.create_task(self._serve())
        loop = asyncio.get_running_loop()
        for stop in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(stop, self._stop, serving, stop)
        loop.add_signal_handler(signal.SIGHUP, self._restart_soon)
        release_hangups()
        try:
            await asyncio.wait((serving,))
        finally:
            # As long as one is open, the kernel accepts connections that no worker serves.
            for listener in self._listeners:
                listener.close()
            await asyncio.gather(*(self._stop_worker(worker) for worker in tuple(self._running)))
        if not serving.cancelled():
            serving.result()

    def _stop(self, serving: asyncio.Task[None], stop: signal.Signals) -> None:
        if not self._is_stopping:
            self._is_stopping = True
            serving.cancel()
            return
        for worker in self._running:
            worker.kill()
        signal.signal(stop, signal.SIG_DFL)
        signal.raise_signal(stop)

    async def _serve(self) -> None:
        # The first one alone: what prevents it from serving would prevent all, and is logged once.
        if not await self._start(timedelta.max):
            raise CannotStart
        self._on_ready()
        await self._start_missing()
        while True:
            job = await self._jobs.get()
            await job()

    async def _start_missing(self) -> None:
        if not self._serving and not await self._start():
            raise CannotStart
        missing = self._workers - len(self._serving)
        if all(await asyncio.gather(*(self._start() for _ in range(missing)))):
            logger.info("%d workers are serving.", len(self._serving))
        else:
            seconds = RETRY_AFTER.total_seconds()
            logger.error("A worker could not start; retrying in %d seconds.", seconds)
            asyncio.get_running_loop().call_later(
                seconds, self._jobs.put_nowait, self._start_missing
            )

    def _restart_soon(self) -> None:
        """Queue a restart, unless one is queued. A restart in progress does not count, since the
        settings may have changed after it began."""
        if not self._is_restart_due:
            self._is_restart_due = True
            self._jobs.put_nowait(self._restart)

    async def _restart(self) -> None:
        self._is_restart_due = False
        logger.info("Replacing the workers one at a time.")
        for old in tuple(self._serving):
            if not await self._start():
                logger.error("The new worker could not start; keeping the current workers.")
                return
            if old in self._serving:
                await self._stop_worker(old)
        logger.info("All workers were replaced.")

    async def _start(self, start_timeout: timedelta = START_TIMEOUT) -> bool:
        """Start a worker, and return whether it serves."""
        try:
            worker = await Worker.start(self._workers, self._listeners)
        except OSError as error:
            logger.error("Cannot start a process: %s", error.strerror)
            return False
        self._running[worker] = asyncio.create_task(self._handle_exit(worker, start_timeout))
        await worker.serving_or_exited.wait()
        if not worker.is_serving or worker not in self._running:
            return False
        self._serving.add(worker)
        return True

    async def _handle_exit(self, worker: Worker, start_timeout: timedelta) -> None:
        exit_code = await worker.wait(
            start_timeout=start_timeout, heartbeat_timeout=self._grace + HEARTBEAT_TIMEOUT
        )
        del self._running[worker]
        self._on_worker_exit(worker.pid)
        if self._is_stopping:
            return
        if exit_code < 0 and not worker.is_serving:
            logger.error("Worker %d was killed (%d) before it served.", worker.pid, exit_code)
        if worker in self._serving:
            self._serving.remove(worker)
            logger.error("Worker %d exited (%d); replacing it.", worker.pid, exit_code)
            self._jobs.put_nowait(self._start_missing)

    async def _stop_worker(self, worker: Worker) -> None:
        self._serving.discard(worker)
        exited = self._running[worker]
        worker.stop()
        await asyncio.wait((exited,), timeout=(self._grace + 4 * CLOSE_TIMEOUT).total_seconds())
        if not exited.done():
            logger.error("Worker %d did not exit in time; killing it.", worker.pid)
            worker.kill()
            await exited
