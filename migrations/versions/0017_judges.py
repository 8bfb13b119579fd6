"""A stronger tier as a judge of audited answers; what it says is delivered to nobody."""

import sqlalchemy as sa
from alembic import op

revision = "0017"
down_revision = "0016"
branch_labels = None
depends_on = None

DELIVER_RESULTS = """
CREATE OR REPLACE FUNCTION deliver_results() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  INSERT INTO deliveries (target, job_id)
  SELECT t.name, r.job_id FROM new_results AS r CROSS JOIN delivery_targets AS t
  WHERE r.accepted AND t.enabled AND (t.simulated OR NOT r.simulated){guard}
  ORDER BY 1, 2 ON CONFLICT DO NOTHING;
  RETURN NULL;
END $$
"""
GUARD = """
    AND (SELECT u.kind FROM jobs AS j JOIN runs AS u ON u.id = j.run_id WHERE j.id = r.job_id)
      NOT IN ('judge', 'shadow')"""


def upgrade() -> None:
    """Small tables, and a column with a default: nothing is rewritten."""
    _words(
        "'backlog', 'reprocess', 'judge', 'shadow'",
        "'open', 'second', 'graded', 'judging', 'passed'",
    )
    share = sa.Column("people_share", sa.Numeric(9, 8), server_default=sa.text("1"), nullable=False)
    op.add_column("audits", share)
    op.create_check_constraint(
        op.f("ck_audits_people_share"), "audits", "people_share > 0 AND people_share <= 1"
    )
    op.execute(DELIVER_RESULTS.format(guard=GUARD))


def downgrade() -> None:
    """What a tier passed waits for people again; runs that judged are reprocessings."""
    op.execute(DELIVER_RESULTS.format(guard=""))
    op.drop_constraint(op.f("ck_audits_people_share"), "audits", type_="check")
    op.drop_column("audits", "people_share")
    op.execute("UPDATE audits SET state = 'open' WHERE state IN ('judging', 'passed')")
    op.execute("UPDATE runs SET kind = 'reprocess' WHERE kind IN ('judge', 'shadow')")
    _words("'backlog', 'reprocess'", "'open', 'second', 'graded'")


def _words(kinds: str, states: str) -> None:
    for table, column, words in (("runs", "kind", kinds), ("audits", "state", states)):
        op.drop_constraint(op.f(f"ck_{table}_{column}"), table, type_="check")
        op.create_check_constraint(op.f(f"ck_{table}_{column}"), table, f"{column} IN ({words})")
