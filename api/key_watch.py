"""The keys of a serving process, as they are in the folder."""

import logging
from pathlib import Path

from api.key_folder import KeyFile, read_keys
from domain.jwk import ALGORITHMS
from domain.keys import KeyRing

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
        it is logged once, and what was known goes on."""
        before = self.ring.all()
        complaints = self._look()
        if self.ring.all() != before:
            logger.info("Signing keys: %s.", ", ".join(key.kid for key in self.ring.all()))
        if complaints != self._complaints:
            for complaint in complaints:
                logger.warning("%s What was known before goes on.", complaint)
            self._complaints = complaints

    def _look(self) -> list[str]:
        try:
            found, complaints = read_keys(self._folder, self._known)
        except OSError as error:
            return [f"The keys in {self._folder} cannot be read: {error.strerror}."]
        keys = [file.key for file in found.values()]
        able = any(key.private and key.algorithm == self._algorithm for key in keys)
        if self._algorithm in ALGORITHMS and not able:
            none = f"No key in {self._folder} can sign by {self._algorithm}: make one with `gatehouse keys new`."
            return [*complaints, none]
        if found != self._known:
            self._known = found
            self.ring.replace(keys)
            logger.info(
                "Signing keys: %s.", ", ".join(key.kid for key in self.ring.all()) or "none"
            )
        return complaints
