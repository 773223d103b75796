"""Reads the settings, and reports what is invalid in one line each."""

import os
from pathlib import Path
from typing import Any

from dotenv.parser import Original, parse_stream
from pydantic import ValidationError
from pydantic_core import ErrorDetails

from settings.settings import Settings
from settings.variables import UnusableVariables


def load_settings(**overrides: Any) -> Settings:
    """Return the settings of this process. ``overrides`` win over the environment and ``.env``,
    except for those that are None.

    Raises SystemExit with one line for each invalid setting, or for each invalid line of ``.env``.
    None contains a value.
    """
    try:
        _check_file(Settings.model_config.get("env_file"))
        return Settings(**{name: value for name, value in overrides.items() if value is not None})
    except UnusableVariables as error:
        raise SystemExit("\n".join(f"gatehouse: {line}" for line in error.lines)) from None
    except UnicodeDecodeError:
        raise SystemExit("gatehouse: .env must be text in UTF-8") from None
    except OSError as error:
        raise SystemExit(f"gatehouse: cannot read .env: {error.strerror}") from None
    except ValidationError as error:
        raise SystemExit("\n".join(map(_line, error.errors(include_input=False)))) from None


def _check_file(file: Any) -> None:
    """Raise OSError for a folder or a link that leads nowhere, and SystemExit for lines that are no
    settings. pydantic-settings ignores all of them, and Docker makes a folder in place of a missing
    file that is mounted. (A pipe can be read only once.)"""
    if file is None or not os.path.lexists(file) or Path(file).is_fifo():
        return
    with Path(file).open(encoding=Settings.model_config.get("env_file_encoding")) as stream:
        broken = [_number(binding.original) for binding in parse_stream(stream) if binding.error]
    if broken:
        lines = (f"gatehouse: .env line {number} must be NAME=value" for number in broken)
        raise SystemExit("\n".join(lines))


def _number(original: Original) -> int:
    """Return the number of the line, without the empty lines that the parser puts before it."""
    text = original.string
    return original.line + text[: len(text) - len(text.lstrip())].count("\n")


def _line(error: ErrorDetails) -> str:
    names = [str(part).upper() for part in error["loc"]]
    if names[:1] == ["PROVIDER_SETTINGS"]:
        names = ["_".join(["PROVIDER", *names[1:]])]
    return " ".join(["gatehouse:", *names, _rule(error["msg"])])


def _rule(message: str) -> str:
    """Make pydantic's message continue the line after the name of the setting.

    "Input should be a valid integer, unable to parse string as an integer" becomes "must be a valid
    integer". A rule of ours is complete, after pydantic's "Value error, ".
    """
    if message.startswith("Unable to parse input string as an integer"):
        return "must be a shorter integer"
    if message == "Field required":
        return "is required"
    if message == "Extra inputs are not permitted":
        return "is no setting of a provider"
    rule, _, _ = message.removeprefix("Value error, ").partition(", unable to")
    return rule.replace("Input should be", "must be")
