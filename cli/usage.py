"""What all commands share: the examples in their help, and the type of their numbers."""

from typing import Any

import click


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
