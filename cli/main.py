"""The entry point of the `gatehouse` command."""

import gc
import sys

from server.process import hold_hangups


def main() -> None:
    # Imports take most of the start, and a reload may be requested by then.
    if sys.argv[1:2] == ["serve"]:
        hold_hangups()
    # Imports make many objects and discard few. Garbage collection took a fifth of the start.
    gc.disable()
    from cli import commands

    gc.freeze()
    gc.enable()
    commands.main()
