"""Marks of dispatch stand in a table of their own, which is not logged: with them each job was
written once more for each of its attempts, with an entry in each of its keys.
"""

import sqlalchemy as sa
from alembic import op

revision = "0051"
down_revision = "0050"
branch_labels = None
depends_on = None

READY: list[str | sa.TextClause] = [
    "run_id",
    "queue",
    sa.text("priority DESC"),
    "available_at",
    "id",
]


def _ready(name: str, where: str) -> None:
    """The index of what is ready, made beside the one that serves until then."""
    op.create_index(
        name,
        "jobs",
        READY,
        postgresql_where=sa.text(where),
        postgresql_with={"deduplicate_items": "off"},
    )
    op.drop_index("ix_jobs_ready", table_name="jobs")
    op.execute(f"ALTER INDEX {name} RENAME TO ix_jobs_ready")


def upgrade() -> None:
    """What is marked already is dispatched once more, and its second delivery finds it claimed.

    Workers of the version before mark jobs by their column, which therefore stays for as long. What
    is ready is found whether one has marked it or not.
    """
    op.execute("""
        CREATE UNLOGGED TABLE dispatches (
          job_id BIGINT NOT NULL,
          queue TEXT NOT NULL,
          dispatched_at TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL,
          CONSTRAINT pk_dispatches PRIMARY KEY (job_id)
        )""")
    _ready("ix_jobs_waiting", "queue IS NOT NULL AND lease_until IS NULL")


def downgrade() -> None:
    """Marks stand in the jobs' rows again; what is marked now is dispatched once more."""
    _ready("ix_jobs_waiting", "queue IS NOT NULL AND lease_until IS NULL AND dispatched_at IS NULL")
    op.drop_table("dispatches")
