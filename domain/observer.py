"""Observers: what the domain reports for metrics."""


class Observer:
    """Called as things happen. This one ignores everything."""

    def login_ended(self, outcome: str) -> None:
        """Count a login with a password. ``outcome`` is ``OK`` or the code of the error."""

    def slot_acquired(self, waited: float) -> None:
        """Count a request that got its slot in the hashing queue after ``waited`` seconds."""


SILENT = Observer()
