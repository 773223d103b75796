"""Report how sign-ins end, for metrics."""

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager

from domain.errors import ErrorCode, code_for
from domain.services import Services


@contextmanager
def reported(services: Services, method: str) -> Iterator[None]:
    """Report the outcome of one step of a sign-in by this method: ``OK`` or the code of the
    error."""
    try:
        yield
    except asyncio.CancelledError:
        # The request passed its deadline, and its client is told so.
        services.observer.sign_in_ended(method, ErrorCode.UNAVAILABLE)
        raise
    except Exception as error:
        services.observer.sign_in_ended(method, code_for(error))
        raise
    services.observer.sign_in_ended(method, "OK")
