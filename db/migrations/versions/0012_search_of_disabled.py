"""Add indexes for searches among disabled accounts."""

import sqlalchemy as sa
from alembic import op

revision = "0012"
down_revision = "0011"
oldest_compatible = "0010"

_IS_DISABLED = sa.text("disabled_at IS NOT NULL")


def upgrade() -> None:
    for name, key in (
        ("ix_users_disabled_username", "username_key"),
        ("ix_users_disabled_email", "email_key"),
    ):
        op.create_index(
            name, "users", [key], sqlite_where=_IS_DISABLED, postgresql_where=_IS_DISABLED
        )


def downgrade() -> None:
    op.drop_index("ix_users_disabled_email", "users")
    op.drop_index("ix_users_disabled_username", "users")
