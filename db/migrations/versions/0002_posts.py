"""Posts: what people wrote, in the order of publishing for everyone and for each author."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
oldest_compatible = "0001"


def upgrade() -> None:
    op.create_table(
        "posts",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("author_id", sa.Uuid(), nullable=False),
        sa.Column("title", sa.String(200), nullable=False),
        sa.Column("content", sa.Text(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_posts"),
        sa.ForeignKeyConstraint(
            ["author_id"], ["users.id"], name="fk_posts_author_id_users", ondelete="CASCADE"
        ),
    )
    op.create_index("ix_posts_author_id", "posts", ["author_id", "id"])


def downgrade() -> None:
    op.drop_table("posts")
