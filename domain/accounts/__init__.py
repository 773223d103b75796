"""Accounts: registration, email verification and change, profile, pictures, password change and
reset, what the link in a security notice does, import, export, and deletion."""

from domain.accounts.account_security import secure_account
from domain.accounts.deletion import delete
from domain.accounts.email_change import (
    confirm_email_change,
    pending_emails,
    request_email_change,
    undo_email_change,
)
from domain.accounts.email_verification import request_email_verification, verify_email
from domain.accounts.export import export_my_data
from domain.accounts.password_change import change_password, set_password
from domain.accounts.password_reset import request_password_reset, reset_password
from domain.accounts.pictures import prune_pictures, remove_picture, replace_picture
from domain.accounts.profile import ProfileChanges, update_profile
from domain.accounts.provider_sign_in import finish_sign_in
from domain.accounts.registration import register
from domain.accounts.user_import import ForeignUser, ImportOutcome, NotImported, import_users
from domain.accounts.users import get_user, get_users
from domain.accounts.verified_registration import finish_registration, start_registration

__all__ = [
    "ForeignUser",
    "ImportOutcome",
    "NotImported",
    "ProfileChanges",
    "change_password",
    "confirm_email_change",
    "delete",
    "export_my_data",
    "finish_registration",
    "finish_sign_in",
    "get_user",
    "get_users",
    "import_users",
    "pending_emails",
    "prune_pictures",
    "register",
    "remove_picture",
    "replace_picture",
    "request_email_change",
    "request_email_verification",
    "request_password_reset",
    "reset_password",
    "secure_account",
    "set_password",
    "start_registration",
    "undo_email_change",
    "update_profile",
    "verify_email",
]
