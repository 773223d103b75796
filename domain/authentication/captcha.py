"""The captcha before a registration and before a mail that anyone can ask for."""

from domain.devices import Device
from domain.errors import CaptchaRequired
from domain.services import Services

# Those of hCaptcha have up to 4 KiB.
MAX_TOKEN_LENGTH = 8192


async def require_captcha(services: Services, device: Device, token: str | None) -> None:
    """Verify the token of a captcha, if the server wants one.

    It works once, so this comes after the validation of the input, before anything is written or
    sent, and never in a transaction that may be repeated. A verification counts as an attempt of
    the network: the service must not be kept busy through this server.

    Raises CaptchaRequired, CaptchaUnavailable or TooManyAttempts.
    """
    if services.captcha is None:
        return
    if not token or len(token) > MAX_TOKEN_LENGTH:
        raise CaptchaRequired
    await services.rate_limiter.hit(services.rate_limiter.limits.network, device.network)
    await services.captcha.require_good(token, device.ip)
