"""What the domain reports to whoever counts it."""


class Observer:
    """Called as things happen. This one ignores everything."""

    def login_ended(self, outcome: str) -> None:
        """A password was sent to sign in with. ``outcome`` is ``OK`` or the code of the error."""

    def slot_acquired(self, waited: float) -> None:
        """A request got its slot in the hashing queue, after ``waited`` seconds."""


SILENT = Observer()
