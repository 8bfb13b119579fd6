"""A canary names the answers that spoke against it, and can be overruled by somebody."""

import sqlalchemy as sa
from alembic import op

revision = "0025"
down_revision = "0024"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Of canaries that failed before, the answers are not known."""
    op.add_column(
        "canaries",
        sa.Column(
            "failed_jobs",
            sa.ARRAY(sa.BigInteger()),
            server_default=sa.text("'{}'::bigint[]"),
            nullable=False,
        ),
    )
    op.add_column("canaries", sa.Column("overruled_by", sa.Text()))


def downgrade() -> None:
    """A canary counts only."""
    op.drop_column("canaries", "overruled_by")
    op.drop_column("canaries", "failed_jobs")
