"""Administration: what users with a role, and the operator, do to the accounts of others."""

from domain.admin.changing import Change, changing, require_permission
from domain.admin.invitations import Invitation, invite, revoke_invitation

__all__ = [
    "Change",
    "Invitation",
    "changing",
    "invite",
    "require_permission",
    "revoke_invitation",
]
