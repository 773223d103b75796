"""What all commands share: the examples in their help, and the type of their numbers."""

from collections.abc import Callable
from typing import Any

import click

from settings import MAX_WORKERS


def examples(*lines: str) -> str:
    """Return the epilog of a command's help: its examples, one on each line."""
    # click does not wrap a paragraph that begins with \b.
    return "\n".join(("\b", "Examples:", *(f"  {line}" for line in lines)))


class WholeNumber(click.IntRange):
    """A whole number in a closed range. The error does not repeat the input, which may be long."""

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> int:
        try:
            number: int = super().convert(value, param, ctx)
        except click.BadParameter:
            self.fail(f"use a whole number from {self.min} to {self.max}.", param, ctx)
        return number


def workers_option(purpose: str) -> Callable[[click.decorators.FC], click.decorators.FC]:
    """Return the option of `serve`, for each command that depends on it."""
    return click.option("--workers", type=WholeNumber(1, MAX_WORKERS), metavar="N", help=purpose)
