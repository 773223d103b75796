"""Files that settings name."""

import errno
from pathlib import Path
from stat import S_ISREG
from typing import BinaryIO


def open_regular(file: Path) -> BinaryIO:
    """Open a regular file to read. Raises OSError if it is anything else.

    Opening a pipe waits until another process writes to it, and a second process, such as a worker
    that is replaced, finds it empty. A device may never end.
    """
    if not S_ISREG(file.stat().st_mode):
        raise OSError(errno.EINVAL, "Not a regular file")
    return file.open("rb")
