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
from domain.admin.deletion import delete_account
from domain.admin.exports import export_account
from domain.admin.impersonation import impersonate
from domain.admin.role_changes import grant_role, revoke_role

__all__ = [
    "Change",
    "RemovedFactors",
    "changing",
    "correct_account",
    "delete_account",
    "disable_account",
    "enable_account",
    "end_sessions_of",
    "export_account",
    "find_account",
    "get_account",
    "grant_role",
    "impersonate",
    "last_seen",
    "list_accounts",
    "remove_second_factors",
    "require_password_reset",
    "require_permission",
    "revoke_role",
]
