"""Where the `gatehouse` command begins."""

import gc


def main() -> None:
    # To import is to make much and to throw away nothing: a fifth of the start was spent looking for garbage in it.
    gc.disable()
    from cli import commands

    gc.freeze()
    gc.enable()
    commands.main()
