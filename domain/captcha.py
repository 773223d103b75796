"""Captchas: whether a token of one is good, as its service says.

Turnstile, hCaptcha and reCAPTCHA share the form of the request and of the answer.
"""

import json
import logging
import re
from collections.abc import Mapping
from typing import Any

from domain.errors import CaptchaRequired, CaptchaUnavailable
from domain.http import HttpClient, RequestFailed, Response
from domain.observer import CaptchaOutcome, Observer

logger = logging.getLogger("gatehouse")

# In seconds, of a whole verification. A user waits for it.
TIMEOUT = 3.0

MAX_BODY_BYTES = 2**20

# Such as `timeout-or-duplicate`. Anything else could be a text of the client.
_ERROR_CODE = re.compile(r"[a-z-]{1,50}")


class CaptchaVerifier:
    """A service at an address such as ``https://challenges.cloudflare.com/turnstile/v0/siteverify``,
    where ``secret`` is the key of this server."""

    def __init__(self, url: str, secret: str, observer: Observer) -> None:
        self._url = url
        self._secret = secret
        self._observer = observer
        self._http = HttpClient(timeout=TIMEOUT, max_body=MAX_BODY_BYTES)

    async def require_good(self, token: str, ip: str | None) -> None:
        """Verify a token, which works once, for the client with this address.

        Raises CaptchaRequired if the service refuses it, or CaptchaUnavailable if the service
        cannot say: with every token accepted, who keeps the service busy would be let in.
        """
        try:
            errors = await self.errors(token, ip)
        except RequestFailed as error:
            logger.error("A captcha cannot be verified: %s.", error)
            self._observer.captcha_ended(CaptchaOutcome.FAILED)
            raise CaptchaUnavailable from None
        if errors is not None:
            logger.warning("A captcha was refused: %s.", ", ".join(errors) or "no reason was given")
            self._observer.captcha_ended(CaptchaOutcome.REFUSED)
            raise CaptchaRequired
        self._observer.captcha_ended(CaptchaOutcome.PASSED)

    async def errors(self, token: str, ip: str | None) -> list[str] | None:
        """Return the codes of the service for why it refuses a token, or None if the token is good.
        Raises RequestFailed."""
        form = {"secret": self._secret, "response": token}
        if ip is not None:
            form["remoteip"] = ip
        answer = await self._http.send(
            "POST", self._url, headers={"Accept": "application/json"}, form=form
        )
        said = _object(answer)
        # Some refuse with a status of 400.
        if said.get("success") is False and answer.status < 500:
            return _codes(said.get("error-codes"))
        if said.get("success") is True and answer.status == 200:
            return None
        raise RequestFailed(f"answered with status {answer.status}, and without a verdict")

    async def close(self) -> None:
        await self._http.close()


def _object(answer: Response) -> Mapping[str, Any]:
    """Return the object in an answer, or an empty one if it has none."""
    try:
        value = json.loads(answer.body)
    except (ValueError, RecursionError):
        return {}
    return value if isinstance(value, dict) else {}


def _codes(value: object) -> list[str]:
    codes = value if isinstance(value, list) else []
    return [code for code in codes[:5] if isinstance(code, str) and _ERROR_CODE.fullmatch(code)]
