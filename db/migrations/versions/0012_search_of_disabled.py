"""Add indexes for searches among disabled accounts."""

from alembic import op

revision = "0012"
down_revision = "0011"
oldest_compatible = "0010"

created_ahead = (
    ("ix_users_disabled_username", "users", "(username_key) WHERE disabled_at IS NOT NULL"),
    ("ix_users_disabled_email", "users", "(email_key) WHERE disabled_at IS NOT NULL"),
)


def upgrade() -> None:
    for name, table, columns in created_ahead:
        op.execute(f"CREATE INDEX IF NOT EXISTS {name} ON {table} {columns}")


def downgrade() -> None:
    for name, table, _ in created_ahead:
        op.drop_index(name, table)
