"""Administration: what users with a role, and the operator, do to the accounts of others."""

from domain.admin.changing import Change, changing, require_permission

__all__ = ["Change", "changing", "require_permission"]
