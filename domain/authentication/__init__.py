"""How someone proves who they are."""

from domain.authentication.password import log_in

__all__ = ["log_in"]
