"""What Claude has counted for the fixed part of requests: closer bounds than bytes."""

import sqlalchemy as sa
from alembic import op

revision = "0023"
down_revision = "0022"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Empty: worst cases go by bytes until the first call of a kind is counted."""
    op.create_table(
        "counted_inputs",
        sa.Column("purpose", sa.Text(), nullable=False),
        sa.Column("model", sa.Text(), nullable=False),
        sa.Column("prompt_version", sa.Text(), nullable=False),
        sa.Column("schema_version", sa.Text(), nullable=False),
        sa.Column("simulated", sa.Boolean(), nullable=False),
        sa.Column("tokens", sa.Integer(), nullable=False),
        sa.Column(
            "counted_at",
            sa.DateTime(timezone=True),
            server_default=sa.text("now()"),
            nullable=False,
        ),
        sa.CheckConstraint(
            "purpose IN ('classify', 'answer', 'check')", name=op.f("ck_counted_inputs_purpose")
        ),
        sa.CheckConstraint("tokens > 0", name=op.f("ck_counted_inputs_tokens")),
        sa.PrimaryKeyConstraint(
            "purpose",
            "model",
            "prompt_version",
            "schema_version",
            "simulated",
            name=op.f("pk_counted_inputs"),
        ),
    )


def downgrade() -> None:
    """Worst cases by bytes again."""
    op.drop_table("counted_inputs")
