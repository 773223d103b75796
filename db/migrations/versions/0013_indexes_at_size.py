"""Serve events of several kinds by one index, and let refreshes write to no index of sessions."""

from alembic import op

revision = "0013"
down_revision = "0012"
# Earlier code serves, without an index for pruning sessions, which then takes longer.
oldest_compatible = "0010"

created_ahead = (
    (
        "ix_security_events_user_id_kind",
        "security_events",
        "(user_id, kind, id) WHERE user_id IS NOT NULL",
    ),
    ("ix_security_events_refreshed", "security_events", "(id) WHERE kind = 'REFRESHED'"),
    ("ix_sessions_active_user_id", "sessions", "(user_id) WHERE ended_at IS NULL"),
)


def upgrade() -> None:
    for name, table, columns in created_ahead:
        op.execute(f"CREATE INDEX IF NOT EXISTS {name} ON {table} {columns}")
    op.drop_index("ix_security_events_user_id", "security_events")
    op.drop_index("ix_sessions_active", "sessions")
    op.drop_index("ix_sessions_expires_at", "sessions")
    _set_storage("fillfactor = 85")


def downgrade() -> None:
    _set_storage(None)
    op.create_index("ix_sessions_expires_at", "sessions", ["expires_at"])
    op.execute(
        "CREATE INDEX ix_sessions_active ON sessions (user_id, last_used_at) WHERE ended_at IS NULL"
    )
    op.create_index("ix_security_events_user_id", "security_events", ["user_id", "id"])
    for name, table, _ in created_ahead:
        op.drop_index(name, table)


def _set_storage(parameter: str | None) -> None:
    """Set how PostgreSQL fills the pages of sessions from now on."""
    if op.get_bind().dialect.name == "postgresql":
        change = f"SET ({parameter})" if parameter else "RESET (fillfactor)"
        op.execute(f"ALTER TABLE sessions {change}")
