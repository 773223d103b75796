"""Accounts: how a person registers, proves who they are, changes what is theirs, and leaves."""

from domain.accounts.deletion import remove
from domain.accounts.password_change import change_password
from domain.accounts.profile import ProfileChanges, update_profile
from domain.accounts.registration import register
from domain.accounts.users import get_user

__all__ = [
    "ProfileChanges",
    "change_password",
    "get_user",
    "register",
    "remove",
    "update_profile",
]
