"""Keeps the keys of a serving process up to date with their folder."""

import logging
import time
from collections.abc import Mapping
from pathlib import Path

from api.signing_keys.files import KeyFile, read_keys
from domain.access_tokens.jwk import ALGORITHMS
from domain.access_tokens.keys import KeyRing

logger = logging.getLogger("gatehouse")


class KeyReloader:
    """Holds the keys of a folder as a ring.

    If keys sign, raises ValueError, with what to change, for a folder that cannot be used at first.
    If a secret signs, only the tokens of former keys depend on it.
    """

    def __init__(self, folder: Path, algorithm: str) -> None:
        self.ring = KeyRing()
        self._folder, self._algorithm = folder, algorithm
        self._known: dict[str, KeyFile] = {}
        self._problems = self._reload()
        if self._problems and algorithm in ALGORITHMS:
            raise ValueError(self._problems[0])

    def reload(self) -> None:
        """Read what has changed. Unreadable files, and changes that would leave no key to sign
        with, are logged once and ignored, so that the server keeps serving. Keys that have ended
        are always dropped: they may have leaked.
        """
        problems = self._reload()
        if problems != self._problems:
            for problem in problems:
                logger.warning("%s The keys known before stay in use until they end.", problem)
            self._problems = problems

    def _reload(self) -> list[str]:
        try:
            found, problems = read_keys(self._folder, self._known)
        except OSError as error:
            return [f"The keys in {self._folder} cannot be read: {error.strerror}."]
        able = any(
            file.key.private and file.key.algorithm == self._algorithm for file in found.values()
        )
        if self._algorithm in ALGORITHMS and not able:
            problems.append(
                f"No key in {self._folder} can sign with {self._algorithm}. Make one with `gatehouse keys new`."
            )
            found = self._known | _ended(found)
        if found != self._known:
            self._known = found
            self.ring.replace(file.key for file in found.values())
            logger.info(
                "Signing keys: %s.", ", ".join(key.kid for key in self.ring.all()) or "none"
            )
        return problems


def _ended(found: Mapping[str, KeyFile]) -> dict[str, KeyFile]:
    now = time.time()
    return {name: file for name, file in found.items() if file.key.has_ended(now)}
