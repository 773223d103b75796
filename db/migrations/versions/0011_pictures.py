"""Add the pictures of users."""

import sqlalchemy as sa
from alembic import op

revision = "0011"
down_revision = "0010"
oldest_compatible = "0010"

_IS_SET = sa.text("picture_id IS NOT NULL")


def upgrade() -> None:
    op.add_column("users", sa.Column("picture_id", sa.String(32), nullable=True))
    op.create_index(
        "ix_users_picture_id",
        "users",
        ["picture_id"],
        sqlite_where=_IS_SET,
        postgresql_where=_IS_SET,
    )


def downgrade() -> None:
    op.drop_index("ix_users_picture_id", "users")
    op.drop_column("users", "picture_id")
