"""Accounts: registration, email verification, profile, password change and reset, and deletion."""

from domain.accounts.deletion import delete
from domain.accounts.email_verification import request_email_verification, verify_email
from domain.accounts.password_change import change_password
from domain.accounts.password_reset import request_password_reset, reset_password
from domain.accounts.profile import ProfileChanges, update_profile
from domain.accounts.registration import register
from domain.accounts.users import get_user
from domain.accounts.verified_registration import finish_registration, start_registration

__all__ = [
    "ProfileChanges",
    "change_password",
    "delete",
    "finish_registration",
    "get_user",
    "register",
    "request_email_verification",
    "request_password_reset",
    "reset_password",
    "start_registration",
    "update_profile",
    "verify_email",
]
