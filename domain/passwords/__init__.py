"""Passwords: which are accepted, how they are hashed, and what a hash may cost."""

from domain.passwords.policy import can_be_verified, problems, require_unbreached

__all__ = ["can_be_verified", "problems", "require_unbreached"]
