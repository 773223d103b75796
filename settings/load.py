"""Reads the settings, and reports what is invalid in one line each."""

import os
from pathlib import Path
from typing import Any

from pydantic import ValidationError
from pydantic_core import ErrorDetails

from settings.settings import Settings


def load_settings(**overrides: Any) -> Settings:
    """Return the settings of this process. ``overrides`` win over the environment and ``.env``.

    Raises SystemExit with one line for each invalid setting. A line never contains its value.
    """
    try:
        _require_readable(Settings.model_config.get("env_file"))
        return Settings(**overrides)
    except UnicodeDecodeError:
        raise SystemExit("gatehouse: .env must be text in UTF-8") from None
    except OSError as error:
        raise SystemExit(f"gatehouse: cannot read .env: {error.strerror}") from None
    except ValidationError as error:
        raise SystemExit("\n".join(map(_line, error.errors(include_input=False)))) from None


def _require_readable(file: Any) -> None:
    """Raise OSError for a folder or a link that leads nowhere. pydantic-settings ignores both, and
    Docker makes a folder in place of a missing file that is mounted."""
    if file is not None and os.path.lexists(file) and not Path(file).is_fifo():
        Path(file).open().close()


def _line(error: ErrorDetails) -> str:
    names = [str(part).upper() for part in error["loc"]]
    return " ".join(["gatehouse:", *names, _rule(error["msg"])])


def _rule(message: str) -> str:
    """Make pydantic's message continue the line after the name of the setting.

    "Input should be a valid integer, unable to parse string as an integer" becomes "must be a valid
    integer". A rule of ours is complete, after pydantic's "Value error, ".
    """
    if message.startswith("Unable to parse input string as an integer"):
        return "must be a shorter integer"
    rule, _, _ = message.removeprefix("Value error, ").partition(", unable to")
    return rule.replace("Input should be", "must be")
