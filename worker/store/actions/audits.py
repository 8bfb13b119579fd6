"""Audits drawn afterwards, and the share of a run raised: by the same hash, so nobody can pick."""

from decimal import Decimal

from sqlalchemy import Engine, text

from worker.errors import UsageError
from worker.store.audit import Actor, audit
from worker.store.queue.audits import AGAIN_SHARE, draw_sql
from worker.store.runs import RunRef


def raise_share(engine: Engine, actor: Actor, run: RunRef, share: Decimal) -> int:
    """Draws `share` of all answers that the run accepted, and of those to come. What was drawn
    before stays, now with this probability. Returns how many more there are. Raises UsageError on
    a share below the one in force, which would leave out what some have seen already."""
    values = {"run": run.id, "share": share, "again": AGAIN_SHARE}
    with engine.begin() as connection:
        before = connection.execute(SHARE, values).scalar_one()
        if share < before:
            raise UsageError(
                f"{float(before):.3g} of the answers of run {run.name} are audited already, and a"
                " draw is not taken back.",
                mend=f"--share {float(before):.3g}, or more",
            )
        connection.execute(RAISE, values)
        connection.execute(REWEIGH, values)
        drawn = connection.execute(DRAW_LATER, values).rowcount
        audit(connection, actor, "audit", f"run {run.name}", drawn, share=str(share))
    return drawn


SHARE = text("SELECT audit_share FROM runs WHERE id = :run FOR UPDATE")
RAISE = text("UPDATE runs SET audit_share = :share WHERE id = :run")
REWEIGH = text("""
UPDATE audits SET probability = :share WHERE run_id = :run AND purpose = 'audit'
""")
DRAW_LATER = text(f"""
INSERT INTO audits (job_id, fence, run_id, tier, probability, again)
SELECT s.job_id, s.fence, j.run_id, s.tier, :share, {draw_sql("s.job_id", "'again' || z.salt")}
  < :again
FROM jobs AS j JOIN results AS s ON s.job_id = j.id CROSS JOIN audit_salt AS z
WHERE j.run_id = :run AND s.accepted AND CAST(:share AS numeric) > 0
  AND {draw_sql("s.job_id")} < :share
ON CONFLICT (job_id, fence) DO NOTHING
""")
