"""Thread priority."""

import os
import sys
import threading
from contextlib import suppress

# Ten steps are a tenth of the weight (sched(7), "The nice value"). On one core with constant
# logins, `me` took 0.4 times as long at the median, and there were as many logins. A lower priority
# gained nothing measurable: next to another busy process a login took five times as long at 19, and
# never finished under SCHED_IDLE.
NICENESS = 10


def lower_priority() -> None:
    """Lower the priority of the calling thread: it gets a tenth of a busy processor and all of an
    idle one.

    Only on Linux, where each thread has its own niceness; elsewhere the process has one.
    """
    if sys.platform == "linux":
        # A sandbox may forbid it, which does no harm.
        with suppress(OSError):
            os.setpriority(os.PRIO_PROCESS, threading.get_native_id(), NICENESS)
