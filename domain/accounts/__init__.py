"""Accounts: how a person registers, proves who they are, changes what is theirs, and leaves."""

from domain.accounts.login import log_in
from domain.accounts.password import change_password
from domain.accounts.profile import ProfileChanges, update_profile
from domain.accounts.registration import register
from domain.accounts.removal import remove
from domain.accounts.users import get_user

__all__ = [
    "ProfileChanges",
    "change_password",
    "get_user",
    "log_in",
    "register",
    "remove",
    "update_profile",
]
