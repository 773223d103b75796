"""The entry point of the `gatehouse` command."""

import gc


def main() -> None:
    # Imports make many objects and discard few. Garbage collection took a fifth of the start.
    gc.disable()
    from cli import commands

    gc.freeze()
    gc.enable()
    commands.main()
