"""How someone proves who they are. Every way of signing in ends in `complete`."""

from domain.authentication.password import log_in

__all__ = ["log_in"]
