"""Threads that hash have a lower priority than the thread that answers requests."""

import os
import sys
import threading

import pytest

from api.priority import NICENESS
from domain.services import Services
from tests.hashing import hash_password

pytestmark = [
    pytest.mark.any_database,
    pytest.mark.skipif(sys.platform != "linux", reason="a thread has no niceness there"),
]


def niceness(thread: threading.Thread) -> int:
    assert thread.native_id is not None
    return os.getpriority(os.PRIO_PROCESS, thread.native_id)


async def test_threads_that_hash_have_a_lower_priority_than_the_one_that_answers(
    services: Services,
) -> None:
    before = threading.enumerate()
    await hash_password(services.hashing_queue, "analytical engine")
    [hashing] = (
        thread
        for thread in threading.enumerate()
        if thread not in before and thread.name.startswith("argon2")
    )

    # The suite may have been started by `nice`.
    assert niceness(hashing) >= NICENESS
