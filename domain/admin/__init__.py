"""Administration: what users with a role, and the operator, do to the accounts of others."""

from domain.admin.access import (
    RemovedFactors,
    disable_account,
    enable_account,
    end_sessions_of,
    remove_second_factors,
    require_password_reset,
)
from domain.admin.accounts import find_account, get_account, last_seen, list_accounts
from domain.admin.changing import Change, changing, require_permission
from domain.admin.corrections import correct_account
from domain.admin.creation import create_account
from domain.admin.deletion import delete_account
from domain.admin.exports import export_account
from domain.admin.impersonation import impersonate
from domain.admin.invitations import Invitation, invite, revoke_invitation
from domain.admin.reset_links import ResetLink, make_reset_link
from domain.admin.role_changes import grant_role, revoke_role

__all__ = [
    "Change",
    "Invitation",
    "RemovedFactors",
    "ResetLink",
    "changing",
    "correct_account",
    "create_account",
    "delete_account",
    "disable_account",
    "enable_account",
    "end_sessions_of",
    "export_account",
    "find_account",
    "get_account",
    "grant_role",
    "impersonate",
    "invite",
    "last_seen",
    "list_accounts",
    "make_reset_link",
    "remove_second_factors",
    "require_password_reset",
    "require_permission",
    "revoke_invitation",
    "revoke_role",
]
