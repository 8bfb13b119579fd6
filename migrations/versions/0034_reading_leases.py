"""One person at a time has an item of a queue for people before them."""

from alembic import op
from sqlalchemy import BigInteger, CheckConstraint, Column, DateTime, Integer, Text

revision = "0034"
down_revision = "0033"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Old dashboards neither take nor see them."""
    op.create_table(
        "reading_leases",
        Column("kind", Text, primary_key=True),
        Column("job_id", BigInteger, primary_key=True, autoincrement=False),
        Column("fence", Integer, primary_key=True, autoincrement=False),
        Column("holder", Text, nullable=False),
        Column("reader", Text, nullable=False),
        Column("since", DateTime(True), nullable=False),
        Column("until", DateTime(True), nullable=False),
        CheckConstraint("kind IN ('review', 'audit')", name="kind"),
        CheckConstraint("until > since", name="ends"),
    )


def downgrade() -> None:
    """Two people may be given the same item again."""
    op.drop_table("reading_leases")
