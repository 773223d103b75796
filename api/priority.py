"""Which threads the operating system runs first."""

import os
import sys
import threading
from contextlib import suppress

# Ten steps are a tenth of the weight (sched(7), "The nice value"). On one core under a storm of logins `me` took 0.4 times
# as long at the median, and logins were no fewer. Lower gained `me` nothing that could be measured, and beside a busy
# neighbour a login took five times as long at 19, and came to no end under SCHED_IDLE.
NICENESS = 10


def give_way() -> None:
    """Let the calling thread have a tenth of a processor that others want too, and all of one that they leave.

    On Linux alone, where each thread has a niceness of its own; elsewhere it is the process's.
    """
    if sys.platform == "linux":
        # All goes well without it, where a sandbox forbids it.
        with suppress(OSError):
            os.setpriority(os.PRIO_PROCESS, threading.get_native_id(), NICENESS)
