"""Authentication: the ways to sign in, each of which ends in `complete`."""

from domain.authentication.password import log_in

__all__ = ["log_in"]
