"""What the model was shown beside a message is kept, and named by the attempt."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0015"
down_revision = "0014"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Attempts of before were shown nothing."""
    op.create_table(
        "contexts",
        sa.Column("message_id", sa.BigInteger(), nullable=False),
        sa.Column("digest", sa.Text(), nullable=False),
        sa.Column("document", postgresql.JSONB(), nullable=False),
        sa.Column(
            "created_at",
            sa.DateTime(timezone=True),
            server_default=sa.text("now()"),
            nullable=False,
        ),
        sa.PrimaryKeyConstraint("message_id", "digest", name="pk_contexts"),
    )
    op.add_column("attempts", sa.Column("context_digest", sa.Text()))


def downgrade() -> None:
    """Receipts no longer say what was shown."""
    op.drop_column("attempts", "context_digest")
    op.drop_table("contexts")
