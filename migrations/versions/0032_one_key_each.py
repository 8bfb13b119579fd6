"""What was asked twice of each row of an intake is asked once.

The unique key of messages begins with the id, so that it finds one by itself too; the key from a
job to its run is kept by `run_counts`, which the counting trigger writes in the same statement.
"""

from alembic import op

revision = "0032"
down_revision = "0031"
branch_labels = None
depends_on = None

OLD, NEW = "uq_messages_source_external_id", "uq_messages_external_id_source"


def upgrade() -> None:
    """Intakes wait while the index is built, about 3 s for a million messages; workers do not.
    `ON CONFLICT` of older code finds the new key: it names columns, in whatever order."""
    op.create_index(NEW, "messages", ["external_id", "source"], unique=True)
    op.execute(f"ALTER TABLE messages ADD CONSTRAINT {NEW} UNIQUE USING INDEX {NEW}")
    op.drop_constraint(OLD, "messages")
    op.drop_index("ix_messages_external_id", "messages")
    op.drop_constraint("fk_jobs_run_id_runs", "jobs")


def downgrade() -> None:
    """As before."""
    op.create_foreign_key("fk_jobs_run_id_runs", "jobs", "runs", ["run_id"], ["id"])
    op.create_index("ix_messages_external_id", "messages", ["external_id"])
    op.create_unique_constraint(OLD, "messages", ["source", "external_id"])
    op.drop_constraint(NEW, "messages")
