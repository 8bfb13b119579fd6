"""When each step of the workers' routines last came round, and how many statements were stopped."""

from alembic import op
from sqlalchemy import BigInteger, Column, DateTime, Float, Integer, Text, func

revision = "0020"
down_revision = "0019"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Workers fill it from their first beat on."""
    op.create_table(
        "step_rounds",
        Column("step", Text, primary_key=True),
        Column("every_s", Float, nullable=False),
        Column("done_at", DateTime(True), nullable=False, server_default=func.now()),
    )
    op.create_table(
        "stopped_statements",
        Column("id", Integer, primary_key=True, autoincrement=False),
        Column("statements", BigInteger, nullable=False),
    )
    op.create_check_constraint("one_row", "stopped_statements", "id = 1")
    op.execute("INSERT INTO stopped_statements (id, statements) VALUES (1, 0)")


def downgrade() -> None:
    """Nobody is told any more."""
    op.drop_table("stopped_statements")
    op.drop_table("step_rounds")
