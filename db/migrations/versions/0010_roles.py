"""Add roles, disabled accounts, impersonated sessions and places of the outbox."""

import sqlalchemy as sa
from alembic import op

revision = "0010"
down_revision = "0009"
# Earlier code lets disabled users sign in.
oldest_compatible = "0010"

_IS_PENDING = sa.text("done_at IS NULL AND failed_at IS NULL")
_IS_IMPERSONATED = sa.text("impersonator_id IS NOT NULL")


def upgrade() -> None:
    op.create_table(
        "user_roles",
        sa.Column("user_id", sa.Uuid(), nullable=False),
        sa.Column("role", sa.String(20), nullable=False),
        sa.Column("granted_by", sa.Uuid(), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("user_id", "role", name="pk_user_roles"),
        sa.ForeignKeyConstraint(
            ["user_id"], ["users.id"], ondelete="CASCADE", name="fk_user_roles_user_id_users"
        ),
    )
    op.create_index("ix_user_roles_role", "user_roles", ["role", "user_id"])
    op.add_column("users", sa.Column("disabled_at", sa.DateTime(timezone=True), nullable=True))
    op.add_column("users", sa.Column("disabled_reason", sa.String(200), nullable=True))
    op.add_column("users", sa.Column("must_reset_at", sa.DateTime(timezone=True), nullable=True))
    op.create_index(
        "ix_users_disabled",
        "users",
        ["id"],
        sqlite_where=sa.text("disabled_at IS NOT NULL"),
        postgresql_where=sa.text("disabled_at IS NOT NULL"),
    )
    op.add_column("sessions", sa.Column("impersonator_id", sa.Uuid(), nullable=True))
    op.create_index(
        "ix_sessions_impersonator_id",
        "sessions",
        ["impersonator_id"],
        sqlite_where=_IS_IMPERSONATED,
        postgresql_where=_IS_IMPERSONATED,
    )
    op.add_column("security_events", sa.Column("actor_id", sa.Uuid(), nullable=True))
    op.add_column("security_events", sa.Column("detail", sa.String(200), nullable=True))
    op.create_index(
        "ix_outbox_pending",
        "outbox",
        ["kind", "target", "due_at"],
        sqlite_where=_IS_PENDING,
        postgresql_where=_IS_PENDING,
    )
    op.drop_index("ix_outbox_due_at", "outbox")
    _collate("C")


def downgrade() -> None:
    _collate("default")
    op.create_index(
        "ix_outbox_due_at",
        "outbox",
        ["due_at"],
        sqlite_where=_IS_PENDING,
        postgresql_where=_IS_PENDING,
    )
    op.drop_index("ix_outbox_pending", "outbox")
    op.drop_column("security_events", "detail")
    op.drop_column("security_events", "actor_id")
    op.drop_index("ix_sessions_impersonator_id", "sessions")
    op.drop_column("sessions", "impersonator_id")
    op.drop_index("ix_users_disabled", "users")
    op.drop_column("users", "must_reset_at")
    op.drop_column("users", "disabled_reason")
    op.drop_column("users", "disabled_at")
    op.drop_table("user_roles")


def _collate(collation: str) -> None:
    """Compare the keys of users by their bytes, for searches by prefix. SQLite does in any case."""
    if op.get_bind().dialect.name == "postgresql":
        op.execute(
            "ALTER TABLE users"
            f' ALTER COLUMN username_key TYPE varchar(32) COLLATE "{collation}",'
            f' ALTER COLUMN email_key TYPE varchar(254) COLLATE "{collation}"'
        )
