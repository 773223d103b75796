"""Observers: what the domain reports for metrics."""

from enum import StrEnum


class DeliveryOutcome(StrEnum):
    """How an attempt to send a message ended. A failed one is not tried again."""

    SENT = "SENT"
    RETRIED = "RETRIED"
    FAILED = "FAILED"


class BreachLookup(StrEnum):
    """How a look-up of a new password in known breaches ended."""

    FOUND = "FOUND"
    NOT_FOUND = "NOT_FOUND"
    FAILED = "FAILED"


class CaptchaOutcome(StrEnum):
    """How the verification of a captcha ended."""

    PASSED = "PASSED"
    REFUSED = "REFUSED"
    FAILED = "FAILED"


class PictureOutcome(StrEnum):
    """How an upload of a picture ended."""

    STORED = "STORED"
    REFUSED = "REFUSED"
    FAILED = "FAILED"


class Observer:
    """Called as things happen. This one ignores everything."""

    def sign_in_ended(self, method: str, outcome: str) -> None:
        """Count a step of a sign-in. ``method`` is one of the settings or of the code, such as the
        name of a provider; ``outcome`` is ``OK``, or the code of the error."""

    def slot_acquired(self, waited: float) -> None:
        """Count a request that got its slot in the hashing queue after ``waited`` seconds."""

    def mail_ended(self, outcome: DeliveryOutcome) -> None:
        """Count an attempt to send a mail."""

    def breach_lookup_ended(self, outcome: BreachLookup) -> None:
        """Count a look-up of a new password in known breaches."""

    def captcha_ended(self, outcome: CaptchaOutcome) -> None:
        """Count the verification of a captcha."""

    def picture_ended(self, outcome: PictureOutcome) -> None:
        """Count an upload of a picture."""

    def mail_waits(self, seconds: float) -> None:
        """Measure how long the oldest mail that is due has waited, 0 if none is due."""

    def webhook_ended(self, endpoint: int, outcome: DeliveryOutcome) -> None:
        """Count an attempt to call a webhook. ``endpoint`` is its number in the settings."""

    def webhook_waits(self, endpoint: int, seconds: float) -> None:
        """Measure how long the oldest event that is due for a webhook has waited, 0 if none is."""

    def event_hook_ended(self, outcome: DeliveryOutcome) -> None:
        """Count an attempt to call the hook `on_event`."""

    def hook_failed(self, hook: str) -> None:
        """Count a call of a hook that failed or returned something wrong."""


SILENT = Observer()
