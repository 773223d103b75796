"""Where Prometheus reads what is counted: a port of its own, which answers for all the workers there are."""

import logging
import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from api.telemetry import metrics
from settings import Settings

if TYPE_CHECKING:
    from prometheus_client import CollectorRegistry, Metric

logger = logging.getLogger("gatehouse")

# Workers count in files that they map into memory. A disk that is full would end whoever writes to one of them.
IN_MEMORY = Path("/dev/shm")  # noqa: S108  (a folder of our own is made in it)

# How prometheus-client is told of the folder of these files. It looks once, when it is imported.
FOLDER = "PROMETHEUS_MULTIPROC_DIR"


@contextmanager
def listening(settings: Settings, workers: int = 1) -> Iterator[None]:
    """Answer Prometheus while the block runs, if METRICS_PORT is set: for this process or, with several ``workers``, for
    those that are started within. Entered before anything is counted.

    Raises SystemExit for an address that cannot be listened on.
    """
    if settings.metrics_port is None:
        yield
    elif workers == 1:
        with _server(settings.metrics_host, settings.metrics_port, _own_registry()):
            yield
    else:
        with (
            _folder() as folder,
            _server(settings.metrics_host, settings.metrics_port, _shared_registry(folder)),
        ):
            yield


def forget(pid: int) -> None:
    """Of a worker that has ended: what it has counted stays, and nobody waits in it any more."""
    if FOLDER in os.environ:
        from prometheus_client.multiprocess import mark_process_dead

        mark_process_dead(pid)  # type: ignore[no-untyped-call]


@contextmanager
def _server(host: str, port: int, registry: "CollectorRegistry") -> Iterator[None]:
    from prometheus_client import start_http_server

    try:
        server, thread = start_http_server(port, host, registry)
    except (OSError, UnicodeError) as error:
        why = error.strerror if isinstance(error, OSError) else "that is no name of a host"
        raise SystemExit(
            f"gatehouse: METRICS_HOST and METRICS_PORT cannot be listened on: {why}"
        ) from None
    # By itself it prints a traceback for every Prometheus that hangs up.
    server.handle_error = _log_failure  # type: ignore[method-assign]
    try:
        yield
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def _log_failure(request: object, client_address: object) -> None:
    logger.warning("Prometheus could not be answered.", exc_info=True)


def _own_registry() -> "CollectorRegistry":
    return metrics.of_this_process().registry


@contextmanager
def _folder() -> Iterator[Path]:
    in_memory = IN_MEMORY if os.access(IN_MEMORY, os.W_OK) else None
    prefix = f"gatehouse-metrics-{os.getpid()}-"
    with tempfile.TemporaryDirectory(prefix=prefix, dir=in_memory) as folder:
        os.environ[FOLDER] = folder
        try:
            yield Path(folder)
        finally:
            del os.environ[FOLDER]


def _shared_registry(folder: Path) -> "CollectorRegistry":
    from prometheus_client import CollectorRegistry
    from prometheus_client.multiprocess import MultiProcessCollector

    registry = CollectorRegistry()
    MultiProcessCollector(registry, folder)  # type: ignore[no-untyped-call]
    registry.register(_Processes(folder))
    return registry


class _Processes:
    """The memory, the files and the time of each worker that lives."""

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
        """Of those whose gauges have not been forgotten."""
        return [file.stem.rpartition("_")[2] for file in self._folder.glob("gauge_livesum_*.db")]
