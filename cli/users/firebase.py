"""Read the password hash parameters of a Firebase project, as its console shows them."""

import re
from pathlib import Path

from domain.passwords.formats import FirebaseConfig
from domain.passwords.imported import decoded

# The parameters are some hundred characters.
_MAX_CHARACTERS = 10_000

# As `rounds: 8,` or as JSON.
_PARAMETER = re.compile(r'"?(\w+)"?\s*:\s*"?([A-Za-z0-9+/=]+)')

_MAX_ROUNDS, _MAX_MEMORY_COST = 255, 20


def read_firebase(path: Path) -> FirebaseConfig:
    """Raise ValueError if the file does not have the parameters, without a word of what it has."""
    with path.open(encoding="utf-8", errors="replace") as file:
        found = dict(_PARAMETER.findall(file.read(_MAX_CHARACTERS)))
    try:
        config = FirebaseConfig(
            signer_key=decoded(found["base64_signer_key"]),
            salt_separator=decoded(found["base64_salt_separator"]),
            rounds=int(found["rounds"]),
            memory_cost=int(found["mem_cost"]),
        )
    except (KeyError, ValueError):
        raise ValueError from None
    if not 1 <= config.rounds <= _MAX_ROUNDS or not 1 <= config.memory_cost <= _MAX_MEMORY_COST:
        raise ValueError
    return config
