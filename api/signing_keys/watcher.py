"""The keys of a serving process, as they are in the folder."""

import logging
import time
from collections.abc import Mapping
from pathlib import Path

from api.signing_keys.files import KeyFile, read_keys
from domain.access_tokens.jwk import ALGORITHMS
from domain.access_tokens.keys import KeyRing

logger = logging.getLogger("gatehouse")


class KeyWatch:
    """Holds a ring to the folder. Raises ValueError when it begins, with what to mend, if the folder is not in order."""

    def __init__(self, folder: Path, algorithm: str) -> None:
        self.ring = KeyRing()
        self._folder, self._algorithm = folder, algorithm
        self._known: dict[str, KeyFile] = {}
        self._complaints = self._look()
        if self._complaints:
            raise ValueError(self._complaints[0])

    def look(self) -> None:
        """Take over what has changed. What cannot be read, or would leave nothing that signs, keeps nobody from being served:
        it is logged once, and what was known goes on. A key that has ended does not: it may have leaked."""
        complaints = self._look()
        if complaints != self._complaints:
            for complaint in complaints:
                logger.warning("%s What was known before goes on, until it ends.", complaint)
            self._complaints = complaints

    def _look(self) -> list[str]:
        try:
            found, complaints = read_keys(self._folder, self._known)
        except OSError as error:
            return [f"The keys in {self._folder} cannot be read: {error.strerror}."]
        able = any(
            file.key.private and file.key.algorithm == self._algorithm for file in found.values()
        )
        if self._algorithm in ALGORITHMS and not able:
            complaints.append(
                f"No key in {self._folder} can sign by {self._algorithm}: make one with `gatehouse keys new`."
            )
            found = self._known | _ended(found)
        if found != self._known:
            self._known = found
            self.ring.replace(file.key for file in found.values())
            logger.info(
                "Signing keys: %s.", ", ".join(key.kid for key in self.ring.all()) or "none"
            )
        return complaints


def _ended(found: Mapping[str, KeyFile]) -> dict[str, KeyFile]:
    now = time.time()
    return {name: file for name, file in found.items() if file.key.has_ended(now)}
