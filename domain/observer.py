"""What happens inside that someone may want to count."""


class Observer:
    """Told of it as it happens. This one counts nothing."""

    def login_ended(self, outcome: str) -> None:
        """A password was sent to log in with: ``OK``, or the code of the refusal."""

    def turn_came(self, waited: float) -> None:
        """Someone may have a password hashed or verified now, after so many seconds in the queue."""


SILENT = Observer()
