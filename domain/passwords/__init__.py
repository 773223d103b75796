"""Passwords: which are accepted, how they are hashed, and what a hash may cost."""

from domain.passwords.policy import problems

__all__ = ["problems"]
