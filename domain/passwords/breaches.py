"""Passwords of known breaches, by the range API of Have I Been Pwned (NIST SP 800-63B-4 section
3.1.1.2).

The service gets the first five digits of the SHA-1 of a password, which hundreds of passwords
share, and returns the rest of each: it does not learn the password (k-anonymity).
"""

import hashlib
import logging
import re

from domain.http import HttpClient, RequestFailed
from domain.observer import BreachLookup, Observer

logger = logging.getLogger("gatehouse")

# In seconds, of a whole look-up. A user waits for it.
TIMEOUT = 1.0

# A range has about 100 KB with its padding.
MAX_BODY_BYTES = 2**20

_PREFIX_LENGTH = 5

# The rest of a hash, and how often the password was found. Only padding has the count 0.
_LINE = re.compile(rb"(?P<rest>[0-9A-F]{35}):(?P<count>[0-9]{1,12})", re.IGNORECASE)


class BreachedPasswords:
    """A service at an address such as ``https://api.pwnedpasswords.com/range``."""

    def __init__(self, url: str, observer: Observer) -> None:
        self._url = url
        self._observer = observer
        self._http = HttpClient(timeout=TIMEOUT, max_body=MAX_BODY_BYTES)

    async def contain(self, password: str) -> bool:
        """Return whether a password is known to attackers. False if the service cannot say so
        within ``TIMEOUT``: users can register meanwhile, with a password of the policy."""
        digest = hashlib.sha1(password.encode(), usedforsecurity=False).hexdigest().upper()
        try:
            found = digest[_PREFIX_LENGTH:] in await self.ending(digest[:_PREFIX_LENGTH])
        except RequestFailed as error:
            logger.warning("A password was not looked up in known breaches: %s.", error)
            self._observer.breach_lookup_ended(BreachLookup.FAILED)
            return False
        outcome = BreachLookup.FOUND if found else BreachLookup.NOT_FOUND
        self._observer.breach_lookup_ended(outcome)
        return found

    async def ending(self, prefix: str) -> frozenset[str]:
        """Return how the hashes with this prefix end. Raises RequestFailed."""
        # Padding hides from others how many there are, and so which prefix it is.
        answer = await self._http.send(
            "GET", f"{self._url}/{prefix}", headers={"Add-Padding": "true"}
        )
        if answer.status != 200:
            raise RequestFailed(f"answered with status {answer.status}")
        lines = [_LINE.fullmatch(line) for line in answer.body.split()]
        return frozenset(_rest(line) for line in lines if _is_real(line))

    async def close(self) -> None:
        await self._http.close()


def _is_real(line: re.Match[bytes] | None) -> bool:
    """Return whether a line is no padding. Raises RequestFailed if it is not of a range."""
    if line is None:
        raise RequestFailed("the answer is not a range of hashes")
    return int(line["count"]) > 0


def _rest(line: re.Match[bytes] | None) -> str:
    assert line is not None
    return line["rest"].decode().upper()
