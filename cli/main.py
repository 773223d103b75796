"""The entry point of the `gatehouse` command."""

import sys

from server.process import hold_hangups, importing


def main() -> None:
    # Imports take most of the start, and a reload may be requested by then.
    if sys.argv[1:2] == ["serve"]:
        hold_hangups()
    with importing():
        from cli import commands
    commands.main()
