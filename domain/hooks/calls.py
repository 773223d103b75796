"""Call hooks, within limits. None is called in a transaction or with a connection."""

import asyncio
import json
import logging
import traceback
from collections.abc import Awaitable, Callable, Mapping
from datetime import timedelta
from inspect import iscoroutinefunction
from queue import Empty, SimpleQueue
from threading import Thread
from typing import Any

from domain import late_tasks
from domain.errors import InvalidInput
from domain.events import Event
from domain.hooks.types import Account, ClaimValue, Draft, Session
from domain.observer import SILENT, Observer

logger = logging.getLogger("gatehouse")

# The event loop waits for it, so it must not do any I/O.
CLAIMS_TIMEOUT = timedelta(milliseconds=500)

BEFORE_REGISTER_TIMEOUT = timedelta(seconds=1)

ON_EVENT_TIMEOUT = timedelta(seconds=15)

# Of the claims as JSON. Every request carries them.
MAX_CLAIMS_BYTES = 1024

# What other services trust Gatehouse for: RFC 7519 section 4.1, RFC 9068 section 2.2, RFC 8693
# section 4, RFC 7800 section 3.1 and OpenID Connect Core section 2.
REGISTERED_CLAIMS = frozenset(
    [
        "iss",
        "aud",
        "sub",
        "sid",
        "iat",
        "exp",
        "nbf",
        "jti",
        "auth_time",
        "acr",
        "amr",
        "azp",
        "nonce",
        "roles",
        "groups",
        "entitlements",
        "act",
        "may_act",
        "scope",
        "client_id",
        "cnf",
    ]
)

_ASYNC = ("before_register", "on_event")


class HookFailed(Exception):
    """A hook raised an error, took too long, or returned something wrong."""


class Hooks:
    """The hooks of a server. A hook that is missing costs nothing."""

    def __init__(self, hooks: object = None, observer: Observer = SILENT) -> None:
        """Take the methods of an object. Raises ValueError if it has none, or one of a wrong
        kind."""
        self._observer = observer
        self._claims: Callable[[Account, Session], object] | None = getattr(hooks, "claims", None)
        self._before_register: Callable[[Draft], Awaitable[object]] | None = getattr(
            hooks, "before_register", None
        )
        self._on_event: Callable[[Event], Awaitable[object]] | None = getattr(
            hooks, "on_event", None
        )
        self._running: Thread | None = None
        if hooks is not None:
            self._require_usable()

    @property
    def names(self) -> list[str]:
        """The hooks that are there."""
        hooks = {
            "claims": self._claims,
            "before_register": self._before_register,
            "on_event": self._on_event,
        }
        return [name for name, hook in hooks.items() if hook is not None]

    @property
    def wants_events(self) -> bool:
        return self._on_event is not None

    def _require_usable(self) -> None:
        if not self.names:
            raise ValueError("has none of the methods claims, before_register and on_event")
        for name in self.names:
            is_async = iscoroutinefunction(getattr(self, f"_{name}"))
            if is_async != (name in _ASYNC):
                raise ValueError(
                    f"{name} must {'' if name in _ASYNC else 'not '}be an async method"
                )

    def claims(self, account: Account, session: Session) -> Mapping[str, ClaimValue]:
        """Return the claims to add to an access token. If the hook fails, there are none: a mistake
        in it must not keep users from signing in."""
        if self._claims is None:
            return {}
        try:
            return _checked_claims(self._call_claims(account, session))
        except Exception as error:
            self.report("claims", error)
            return {}

    def _call_claims(self, account: Account, session: Session) -> object:
        """Call the hook in a thread, since nothing can stop it here. Until one that hangs returns,
        there are no other calls."""
        if self._running is not None and self._running.is_alive():
            raise HookFailed("an earlier call has not returned")
        hook = self._claims
        assert hook is not None
        results: SimpleQueue[tuple[object, BaseException | None]] = SimpleQueue()

        def call() -> None:
            try:
                results.put((hook(account, session), None))
            except BaseException as error:
                results.put((None, error))

        self._running = Thread(target=call, name="claims", daemon=True)
        self._running.start()
        try:
            claims, error = results.get(timeout=CLAIMS_TIMEOUT.total_seconds())
        except Empty:
            raise HookFailed(
                f"no result within {CLAIMS_TIMEOUT.total_seconds():g} seconds"
            ) from None
        self._running = None
        if error is not None and not isinstance(error, Exception):
            raise HookFailed(type(error).__name__)
        if error is not None:
            raise error
        return claims

    async def before_register(self, draft: Draft) -> None:
        """Raise InvalidInput, with the sentences of the hook, if it refuses an account. Raises
        HookFailed if it fails: nothing is written then."""
        if self._before_register is None:
            return
        try:
            sentences = await _within(BEFORE_REGISTER_TIMEOUT, self._before_register(draft))
            if not isinstance(sentences, list) or not all(_is_text(text) for text in sentences):
                raise HookFailed("it returned something other than a list of sentences")
        except Exception as error:
            self.report("before_register", error)
            raise HookFailed("before_register") from None
        if sentences:
            raise InvalidInput(" ".join(sentences))

    async def on_event(self, event: Event) -> None:
        """Tell the hook about an event. Raises any error of the hook, or HookFailed."""
        if self._on_event is None:
            return
        try:
            await _within(ON_EVENT_TIMEOUT, self._on_event(event))
        except Exception as error:
            self.report("on_event", error)
            raise

    def report(self, hook: str, error: Exception) -> None:
        """Log a failure without the words of the error, which may quote an account."""
        self._observer.hook_failed(hook)
        reason = str(error) if isinstance(error, HookFailed) else type(error).__name__
        frames = "".join(traceback.format_tb(error.__traceback__))
        logger.error("The hook %s failed: %s.", hook, reason, extra={"traceback": frames})


async def _within(limit: timedelta, call: Awaitable[Any]) -> Any:
    """Await a call of a hook. One that takes longer is cancelled, and not waited for: it may
    suppress that."""
    task = asyncio.ensure_future(call)
    try:
        await asyncio.wait([task], timeout=limit.total_seconds())
        if not task.done():
            raise HookFailed(f"no result within {limit.total_seconds():g} seconds")
        if task.cancelled():
            raise HookFailed("it was cancelled")
        return task.result()
    finally:
        if task.cancel():
            late_tasks.leave(task)


def _checked_claims(claims: object) -> Mapping[str, ClaimValue]:
    if not isinstance(claims, Mapping) or not all(
        _is_text(name) and _is_value(value) for name, value in claims.items()
    ):
        raise HookFailed(
            "it returned something other than names with text, integers, booleans or lists of text"
        )
    if registered := sorted(REGISTERED_CLAIMS & claims.keys()):
        raise HookFailed(f"it returned the registered claim {registered[0]}")
    claims = dict(claims)
    if len(json.dumps(claims, separators=(",", ":")).encode()) > MAX_CLAIMS_BYTES:
        raise HookFailed(f"it returned more than {MAX_CLAIMS_BYTES} bytes of JSON")
    return claims


def _is_value(value: object) -> bool:
    if isinstance(value, list):
        return all(isinstance(text, str) for text in value)
    return isinstance(value, str | int)


def _is_text(value: object) -> bool:
    return isinstance(value, str) and value != ""
