"""Audits drawn afterwards, and the share of a run raised: by the same hash, so nobody can pick."""

from decimal import Decimal

from sqlalchemy import Connection, Engine, text

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


def raise_shadows(connection: Connection, run: RunRef, share: Decimal) -> None:
    """Draws `share` of the run's messages, and of those to come, as shadows; what was drawn before
    stays. Raises UsageError on a share below the one in force."""
    values = {"run": run.id, "share": share}
    before = connection.execute(SHADOW_SHARE, values).scalar_one()
    if share < before:
        raise UsageError(
            f"{float(before):.3g} of the messages of run {run.name} are shadows already, and a draw"
            " is not taken back.",
            mend=f"--shadow {float(before):.3g}, or more",
        )
    for statement in (RAISE_SHADOWS, REWEIGH_SHADOWS, REWEIGH_LOOKS, SHADOWS_LATER, LOOKS_LATER):
        connection.execute(statement, values)


# What was erased nobody can judge.
KEPT = (
    "NOT EXISTS (SELECT FROM messages AS m WHERE m.id = j.message_id AND m.erased_at IS NOT NULL)"
)
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
WHERE j.run_id = :run AND CAST(:share AS numeric) > 0
  AND {draw_sql("s.job_id")} < :share AND {KEPT}
ON CONFLICT (job_id, fence) DO UPDATE SET purpose = 'audit', probability = excluded.probability,
  again = excluded.again WHERE audits.purpose = 'shadow'
""")
SHADOW_SHARE = text("SELECT shadow_share FROM runs WHERE id = :run FOR UPDATE")
RAISE_SHADOWS = text("UPDATE runs SET shadow_share = :share WHERE id = :run")
REWEIGH_SHADOWS = text("UPDATE shadows SET probability = :share WHERE run_id = :run")
REWEIGH_LOOKS = text("""
UPDATE audits SET probability = :share WHERE run_id = :run AND purpose = 'shadow'
""")
SHADOWS_LATER = text(f"""
INSERT INTO shadows (job_id, run_id, probability)
SELECT j.id, j.run_id, :share FROM jobs AS j CROSS JOIN audit_salt AS z
WHERE j.run_id = :run AND j.state IN ('answered', 'review') AND {draw_sql("j.id")} < :share
  AND {KEPT}
ON CONFLICT (job_id) DO NOTHING
""")
LOOKS_LATER = text("""
INSERT INTO audits (job_id, fence, run_id, tier, purpose, probability)
SELECT a.job_id, a.fence, s.run_id, a.tier, 'shadow', s.probability
FROM shadows AS s CROSS JOIN LATERAL (
  SELECT job_id, fence, tier FROM attempts WHERE job_id = s.job_id AND stage = 'answer'
    AND outcome IN ('accepted', 'rejected') OFFSET 0) AS a
WHERE s.run_id = :run
ON CONFLICT (job_id, fence) DO NOTHING
""")
