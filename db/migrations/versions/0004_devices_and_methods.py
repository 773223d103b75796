"""Rename client to device and origin to method, and make room for longer kinds and methods."""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
# Earlier code reads columns by their former names.
oldest_compatible = "0004"


def upgrade() -> None:
    op.drop_index("ix_sessions_ongoing", "sessions")
    with op.batch_alter_table("sessions") as sessions:
        sessions.alter_column(
            "origin", new_column_name="method", existing_type=sa.String(20), type_=sa.String(40)
        )
        sessions.alter_column("client", new_column_name="device", existing_type=sa.String(100))
    _index_active_sessions("ix_sessions_active")
    with op.batch_alter_table("security_events") as events:
        events.alter_column("kind", existing_type=sa.String(20), type_=sa.String(40))
        events.alter_column("client", new_column_name="device", existing_type=sa.String(100))


def downgrade() -> None:
    with op.batch_alter_table("security_events") as events:
        events.alter_column("device", new_column_name="client", existing_type=sa.String(100))
        events.alter_column("kind", existing_type=sa.String(40), type_=sa.String(20))
    op.drop_index("ix_sessions_active", "sessions")
    with op.batch_alter_table("sessions") as sessions:
        sessions.alter_column("device", new_column_name="client", existing_type=sa.String(100))
        sessions.alter_column(
            "method", new_column_name="origin", existing_type=sa.String(40), type_=sa.String(20)
        )
    _index_active_sessions("ix_sessions_ongoing")


def _index_active_sessions(name: str) -> None:
    op.create_index(
        name,
        "sessions",
        ["user_id", "last_used_at"],
        sqlite_where=sa.text("ended_at IS NULL"),
        postgresql_where=sa.text("ended_at IS NULL"),
    )
