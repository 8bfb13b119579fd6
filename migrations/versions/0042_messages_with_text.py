"""A purge goes by the messages that still have something to take, however many were erased before."""

import sqlalchemy as sa
from alembic import op

revision = "0042"
down_revision = "0041"
branch_labels = None
depends_on = None

WITH_ID = "erased_at IS NOT NULL AND external_id !~ '^sha256:[0-9a-f]{32}$'"


def upgrade() -> None:
    """Intakes wait while the indexes are built, about a second for a million messages; workers do
    not."""
    op.create_index(
        "ix_messages_with_text",
        "messages",
        ["created_at", "id"],
        postgresql_where=sa.text("erased_at IS NULL"),
    )
    op.create_index("ix_messages_with_id", "messages", ["id"], postgresql_where=sa.text(WITH_ID))


def downgrade() -> None:
    """As before."""
    op.drop_index("ix_messages_with_id", "messages")
    op.drop_index("ix_messages_with_text", "messages")
