"""Allow accounts without a password."""

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"
# Earlier code expects a password hash in every account.
oldest_compatible = "0007"


def upgrade() -> None:
    with op.batch_alter_table("users") as users:
        users.alter_column("password_hash", existing_type=sa.String(255), nullable=True)


def downgrade() -> None:
    # No password has this hash.
    op.execute("UPDATE users SET password_hash = '' WHERE password_hash IS NULL")
    with op.batch_alter_table("users") as users:
        users.alter_column("password_hash", existing_type=sa.String(255), nullable=False)
