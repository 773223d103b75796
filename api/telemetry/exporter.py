"""Serves the metrics of all workers to Prometheus, on a port of its own."""

import logging
import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from api.hosts import NO_SUCH_NETWORK, names_of
from api.telemetry import metrics
from settings import Settings

if TYPE_CHECKING:
    from prometheus_client import CollectorRegistry, Metric

logger = logging.getLogger("gatehouse")

# Workers count in memory-mapped files. A full disk would kill the process that writes to one.
IN_MEMORY = Path("/dev/shm")  # noqa: S108  (a new folder is made in it)

PREFIX = "gatehouse-metrics-"

# The variable that tells prometheus-client the folder of these files. It is read once, at import.
FOLDER_VARIABLE = "PROMETHEUS_MULTIPROC_DIR"


@contextmanager
def serving_metrics(settings: Settings, workers: int = 1) -> Iterator[None]:
    """Serve metrics while the block runs, if METRICS_PORT is set: of this process or, with several
    ``workers``, of those started inside. Must be entered before anything is counted.

    Raises SystemExit if it cannot listen on the address.
    """
    if settings.metrics_port is None:
        yield
    elif workers == 1:
        with _servers(settings.metrics_host, settings.metrics_port, _own_registry()):
            yield
    else:
        with (
            _folder() as folder,
            _servers(settings.metrics_host, settings.metrics_port, _shared_registry(folder)),
        ):
            yield


def forget(pid: int) -> None:
    """Forget the gauges of a worker that has exited. Its counters stay."""
    if FOLDER_VARIABLE in os.environ:
        from prometheus_client.multiprocess import mark_process_dead

        mark_process_dead(pid)  # type: ignore[no-untyped-call]


@contextmanager
def _servers(host: str, port: int, registry: "CollectorRegistry") -> Iterator[None]:
    with ExitStack() as started:
        try:
            _start_servers(host, port, registry, started)
        except (OSError, UnicodeError) as error:
            why = error.strerror if isinstance(error, OSError) else "the host name is invalid"
            raise SystemExit(
                f"gatehouse: METRICS_HOST and METRICS_PORT cannot be listened on: {why}"
            ) from None
        yield


def _start_servers(host: str, port: int, registry: "CollectorRegistry", started: ExitStack) -> None:
    names = names_of(host)
    unavailable = []
    for name in names:
        try:
            started.enter_context(_server(name, port, registry))
        except OSError as error:
            if error.errno not in NO_SUCH_NETWORK:
                raise
            unavailable.append(error)
    if len(unavailable) == len(names):
        raise unavailable[0]


@contextmanager
def _server(host: str, port: int, registry: "CollectorRegistry") -> Iterator[None]:
    from prometheus_client import start_http_server

    server, thread = start_http_server(port, host, registry)
    # By default it prints a traceback whenever Prometheus disconnects.
    server.handle_error = _log_failure  # type: ignore[method-assign]
    try:
        yield
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def _log_failure(request: object, client_address: object) -> None:
    logger.warning("A request of Prometheus failed.", exc_info=True)


def _own_registry() -> "CollectorRegistry":
    return metrics.of_this_process().registry


@contextmanager
def _folder() -> Iterator[Path]:
    parent = IN_MEMORY if os.access(IN_MEMORY, os.W_OK) else Path(tempfile.gettempdir())
    _remove_abandoned(parent)
    prefix = f"{PREFIX}{os.getpid()}-"
    with tempfile.TemporaryDirectory(prefix=prefix, dir=parent) as folder, _lock(Path(folder)):
        os.environ[FOLDER_VARIABLE] = folder
        try:
            yield Path(folder)
        finally:
            del os.environ[FOLDER_VARIABLE]


def _remove_abandoned(parent: Path) -> None:
    """Remove the folders of processes that were killed. One that runs has locked its folder."""
    for folder in parent.glob(f"{PREFIX}*"):
        # Not those of other users.
        with suppress(OSError), _lock(folder):
            shutil.rmtree(folder)


@contextmanager
def _lock(folder: Path) -> Iterator[None]:
    """Lock a folder while the block runs or until this process ends. Raises OSError."""
    import fcntl  # Windows, which has no workers to count for, does not have it.

    # Others may put anything there by this name, such as a pipe that blocks who opens it.
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        yield
    finally:
        os.close(descriptor)


def _shared_registry(folder: Path) -> "CollectorRegistry":
    from prometheus_client import CollectorRegistry
    from prometheus_client.multiprocess import MultiProcessCollector

    registry = CollectorRegistry()
    MultiProcessCollector(registry, folder)  # type: ignore[no-untyped-call]
    registry.register(_Processes(folder))
    return registry


class _Processes:
    """The memory, the files and the CPU time of each running worker."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def collect(self) -> "Iterator[Metric]":
        from prometheus_client import Metric, ProcessCollector

        found: dict[str, Metric] = {}
        for pid in self._pids():
            for metric in ProcessCollector(pid=partial(str, pid), registry=None).collect():
                ours = found.setdefault(
                    metric.name, Metric(metric.name, metric.documentation, metric.type)
                )
                for sample in metric.samples:
                    ours.add_sample(sample.name, {"pid": pid}, sample.value)
        yield from found.values()

    def _pids(self) -> list[str]:
        """Return the process ids of the workers whose gauges were not forgotten."""
        return [file.stem.rpartition("_")[2] for file in self._folder.glob("gauge_livesum_*.db")]
