"""The entry point of the `gatehouse` command."""

import sys

from server.process import hold_hangups, importing


def main() -> None:
    # A container runs these every few seconds. The other commands take a second to import.
    if sys.argv[1:] in (["health"], ["health", "--ready"]):
        from cli import health

        health.ask(health.LIVE if sys.argv[2:] == [] else health.READY)
        return
    # Imports take most of the start, and a reload may be requested by then.
    if sys.argv[1:2] == ["serve"]:
        hold_hangups()
    with importing():
        from cli import commands
    commands.main()
