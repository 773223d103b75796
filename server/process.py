"""What a process needs before it can serve: imports, standard streams, signals and open files."""

import ctypes
import gc
import os
import signal
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from types import FrameType

# More than one process can use. Some systems report no limit, or a limit that they do not accept.
MAX_OPEN_FILES = 65_536

STANDARD_ERROR = 2

# The parameters of mallopt(3), and the largest value that glibc accepts for the second.
_M_TRIM_THRESHOLD, _M_MMAP_THRESHOLD, _M_ARENA_MAX = -1, -3, -8
_KEPT_BYTES = 32 * 1024 * 1024


@contextmanager
def importing() -> Iterator[None]:
    """Pause garbage collection while the block imports modules. They make many objects and discard
    few: collections took a fifth of the start."""
    gc.disable()
    try:
        yield
    finally:
        gc.freeze()
        gc.enable()


def open_standard_streams() -> None:
    """Open the standard streams that the parent process has closed, to the null device.

    Otherwise the next files to be opened get their numbers, and error messages are written to a
    socket. libuv also aborts when it has to close one of these numbers.
    """
    while (opened := os.open(os.devnull, os.O_RDWR)) <= STANDARD_ERROR:
        os.set_inheritable(opened, True)
    os.close(opened)


def exit_on_signals() -> None:
    """Exit with 0 on SIGINT and SIGTERM. Before the server has its own handlers, there is nothing
    to finish.

    A handler is required in a container: without one, the kernel ignores SIGTERM for PID 1.
    """

    def leave(_: int, __: FrameType | None) -> None:
        raise SystemExit(0)

    for stop in (signal.SIGINT, signal.SIGTERM):
        signal.signal(stop, leave)


def hold_hangups() -> None:
    """Hold a SIGHUP back until `release_hangups`. Before this process has a handler, it would kill
    the process."""
    if sys.platform != "win32":
        signal.pthread_sigmask(signal.SIG_BLOCK, (signal.SIGHUP,))


def release_hangups() -> None:
    """Receive a SIGHUP that was held back, and all that follow."""
    if sys.platform != "win32":
        signal.pthread_sigmask(signal.SIG_UNBLOCK, (signal.SIGHUP,))


@contextmanager
def holding_hangups() -> Iterator[None]:
    """Hold SIGHUP back while the block runs. A process that it starts never receives one."""
    hold_hangups()
    try:
        yield
    finally:
        release_hangups()


def raise_limit_of_open_files() -> None:
    """Raise the limit to what the system allows. Many systems start with 1024, and a thousand slow
    clients use that up."""
    if sys.platform == "win32":
        return
    import resource

    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = MAX_OPEN_FILES if hard == resource.RLIM_INFINITY else min(hard, MAX_OPEN_FILES)
    if soft != resource.RLIM_INFINITY and soft < wanted:
        with suppress(OSError, ValueError):
            resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))


def keep_freed_memory() -> None:
    """Keep memory that is freed for what needs memory next, until `return_freed_memory`.

    A password hash takes 19 MiB and frees them some milliseconds later. If they were returned at
    once, the kernel would clear their pages for each hash, which takes a third of its time. glibc
    returns what lies between other memory in its first arena alone, so all threads share that one.
    Other C libraries do not know these parameters.
    """
    with suppress(OSError, AttributeError, TypeError):
        mallopt = ctypes.CDLL(None).mallopt
        mallopt(_M_ARENA_MAX, 1)
        for parameter in (_M_TRIM_THRESHOLD, _M_MMAP_THRESHOLD):
            mallopt(parameter, _KEPT_BYTES)


def return_freed_memory() -> None:
    """Return freed memory to the system. By itself glibc would keep that of the largest responses
    of a process for good."""
    with suppress(OSError, AttributeError, TypeError):
        ctypes.CDLL(None).malloc_trim(0)
