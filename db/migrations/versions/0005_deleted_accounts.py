"""Mark deleted accounts whose rows are still being deleted."""

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"
# Earlier code lets users sign in while their account is being deleted.
oldest_compatible = "0005"


def upgrade() -> None:
    op.add_column("users", sa.Column("deleted_at", sa.DateTime(timezone=True), nullable=True))
    op.create_index(
        "ix_users_deleted_at",
        "users",
        ["deleted_at"],
        sqlite_where=sa.text("deleted_at IS NOT NULL"),
        postgresql_where=sa.text("deleted_at IS NOT NULL"),
    )


def downgrade() -> None:
    # Code before this revision would show what is left of these accounts.
    # In this order: migrations of SQLite run without foreign keys.
    op.execute(
        "DELETE FROM posts WHERE author_id IN (SELECT id FROM users WHERE deleted_at IS NOT NULL)"
    )
    op.execute(
        "DELETE FROM sessions WHERE user_id IN (SELECT id FROM users WHERE deleted_at IS NOT NULL)"
    )
    op.execute("DELETE FROM users WHERE deleted_at IS NOT NULL")
    op.drop_index("ix_users_deleted_at", "users")
    with op.batch_alter_table("users") as users:
        users.drop_column("deleted_at")
