"""The variables of the environment and of .env, by the names of their settings."""

import re
from collections.abc import Iterator, Mapping

Variables = Mapping[str, str | None]

PREFIX = "gatehouse_"

# Kubernetes sets METRICS_PORT=tcp://10.0.0.1:9102 in every container beside a Service that is
# called `metrics`, and GATEHOUSE_PORT beside one called `gatehouse`. No setting has such a value.
_SERVICE_LINK = re.compile(r"(?:tcp|udp|sctp)://\S*")


def merge(environment: Variables, file: Variables) -> dict[str, str]:
    """Return the values by the names of their settings. All names are in lower case.

    The prefix wins over a name without it, wherever each of them is set; then the environment wins
    over ``.env``. White space around a value is not part of it, and an empty value counts as unset.
    """
    values = dict(_values(file)) | dict(_values(environment))
    return values | {
        name.removeprefix(PREFIX): value
        for name, value in values.items()
        if name.startswith(PREFIX)
    }


def _values(variables: Variables) -> Iterator[tuple[str, str]]:
    for name, value in variables.items():
        # `echo` ends a secret with a line break, and editors leave blanks behind.
        stripped = (value or "").strip()
        if stripped and not _is_service_link(name, stripped):
            yield name, stripped


def _is_service_link(name: str, value: str) -> bool:
    return name.endswith("_port") and _SERVICE_LINK.fullmatch(value) is not None
