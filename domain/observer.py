"""What happens inside that someone may want to count."""


class Observer:
    """Told of it as it happens, from any thread. This one counts nothing."""

    def login_ended(self, outcome: str) -> None:
        """A password was sent to log in with: ``OK``, or the code of the refusal."""

    def hash_began(self, waited: float) -> None:
        """A password is about to be hashed or verified, after so many seconds in the queue."""


SILENT = Observer()
