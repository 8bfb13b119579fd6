"""When a canary was last let through: a queue that it holds back says so, and one whose trial nobody
goes on with does not."""

import sqlalchemy as sa
from alembic import op

revision = "0046"
down_revision = "0045"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Of what was on trial before, it is not known."""
    op.add_column("canaries", sa.Column("tried_at", sa.DateTime(timezone=True), nullable=True))


def downgrade() -> None:
    """The column goes."""
    op.drop_column("canaries", "tried_at")
