"""The variables of the environment and of .env, by the names of their settings."""

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace

from settings.secret_files import read_secret

Variables = Mapping[str, str | None]
IsSecret = Callable[[str], bool]

PREFIX = "gatehouse_"

# SECRET_KEY_FILE is the path of a file that contains SECRET_KEY, as images name such variables.
FILE_SUFFIX = "_file"

# Kubernetes sets METRICS_PORT=tcp://10.0.0.1:9102 in every container beside a Service that is
# called `metrics`, and GATEHOUSE_PORT beside one called `gatehouse`. No setting has such a value.
_SERVICE_LINK = re.compile(r"(?:tcp|udp|sctp)://\S*")


class UnusableVariables(ValueError):
    """Variables that cannot be read, with one line for each."""

    def __init__(self, lines: list[str]) -> None:
        super().__init__("\n".join(lines))
        self.lines = lines


@dataclass(frozen=True, slots=True)
class Source:
    """The variable that a value was read from."""

    #: ``environment`` or ``.env``.
    place: str
    #: The name as it stands there, such as ``GATEHOUSE_PORT`` or ``SECRET_KEY_FILE``.
    variable: str
    #: The path of the file that contains the value.
    file: str | None = None


@dataclass(frozen=True, slots=True)
class Variable:
    """A value, and the variable that it was read from."""

    value: str = field(repr=False)
    source: Source


def merge(environment: Variables, file: Variables, is_secret: IsSecret) -> dict[str, Variable]:
    """Return the variables by the names of their settings. All names are in lower case.

    The prefix wins over a name without it, wherever each of them is set; then the environment wins
    over ``.env``. White space around a value is not part of it, and an empty value counts as unset.
    Any secret may stand in a file instead, which is named by the variable with ``_FILE``.

    Raises UnusableVariables.
    """
    values = _read(file, ".env", is_secret) | _read(environment, "environment", is_secret)
    # In this order: those with the prefix come last, and win.
    by_prefix = sorted(values.items(), key=lambda item: item[0].startswith(PREFIX))
    return _with_secrets_of_files(
        {name.removeprefix(PREFIX): variable for name, variable in by_prefix}
    )


def _read(variables: Variables, place: str, is_secret: IsSecret) -> dict[str, Variable]:
    found: dict[str, Variable] = {}
    twice = []
    for name, value in _values(variables):
        path = value if is_secret(_secret_of(name)) else None
        setting = name if path is None else name.removesuffix(FILE_SUFFIX)
        if setting in found:
            twice.append(f"{setting.upper()} and {setting.upper()}_FILE are both set: remove one")
        found[setting] = Variable(value, Source(place, name.upper(), path))
    if twice:
        raise UnusableVariables(twice)
    return found


def _secret_of(name: str) -> str:
    """Return the name of the secret that a variable may name the file of, or an empty text."""
    if not name.endswith(FILE_SUFFIX):
        return ""
    return name.removeprefix(PREFIX).removesuffix(FILE_SUFFIX)


def _values(variables: Variables) -> Iterator[tuple[str, str]]:
    for name, value in variables.items():
        # `echo` ends a secret with a line break, and editors leave blanks behind.
        stripped = (value or "").strip()
        if stripped and not _is_service_link(name, stripped):
            yield name, stripped


def _is_service_link(name: str, value: str) -> bool:
    return name.endswith("_port") and _SERVICE_LINK.fullmatch(value) is not None


def _with_secrets_of_files(variables: Mapping[str, Variable]) -> dict[str, Variable]:
    found = {}
    unusable = []
    for name, variable in variables.items():
        try:
            path = variable.source.file
            found[name] = replace(variable, value=read_secret(path)) if path else variable
        except ValueError as error:
            unusable.append(f"{variable.source.variable} {error}")
    if unusable:
        raise UnusableVariables(unusable)
    return found
