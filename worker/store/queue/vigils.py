"""The vigil over certificates: every verdict on an answer that went out under one is evidence.

Promises: each audited answer counts once, by its first verdict, and what a judging tier passed and
people do not look at counts as right; red voids for good; amber stays
until a person lifts it, for it is people who lower thresholds. The evidence is a row a day, so a
verdict costs the same after a year.
"""

from collections.abc import Iterable, Sequence
from typing import Any

from sqlalchemy import Connection, Row, text

from worker.domain.proof.drift import Vigil, Watch, begin, heard_all
from worker.errors import UsageError
from worker.store.audit import Actor, audit
from worker.store.queue.certified import void
from worker.store.queue.notices import note
from worker.store.rows import as_json

HIGHEST = 0.9
"""Error rates above this are not watched: a claim that lets so much through says nothing."""


def hear(connection: Connection, answers: Iterable[tuple[int, int]]) -> None:
    """Takes first verdicts on audited answers as evidence on the certificates in force over
    them. `answers` are jobs and fences."""
    rows = as_json({"job_id": job, "fence": fence} for job, fence in answers)
    heard: dict[int, list[bool]] = {}
    for row in connection.execute(FRESH, {"rows": rows}):
        heard.setdefault(row.certificate_id, []).append(row.wrong)
    for number, wrong in sorted(heard.items()):
        _take(connection, number, wrong)


def hear_passed(connection: Connection, answers: Iterable[tuple[int, int]]) -> None:
    """Takes what a judging tier passed as evidence too: without it only what it calls wrong would
    count, and the certificate would end for nothing."""
    rows = as_json({"job_id": job, "fence": fence} for job, fence in answers)
    for row in connection.execute(PASSED, {"rows": rows}):
        _take(connection, row.certificate_id, [False] * row.answers)


def hear_again(connection: Connection, answers: Iterable[tuple[int, int]]) -> None:
    """After a verdict was taken back or changed: the evidence is counted anew from all verdicts. A
    certificate that is void stays so."""
    rows = as_json({"job_id": job, "fence": fence} for job, fence in answers)
    for number in connection.execute(TOUCHED, {"rows": rows}).scalars().all():
        # Locked before it is read: what another takes as evidence meanwhile is not forgotten.
        if connection.execute(CERTIFICATE, {"id": number}).one().state == "void":
            continue
        wrong = list(connection.execute(ALL, {"id": number}).scalars())
        connection.execute(FORGET, {"id": number})
        _take(connection, number, wrong)


def lift(connection: Connection, actor: Actor, number: int) -> None:
    """A person says that amber was no more than chance: the certified threshold holds again, and
    the detector starts anew. Raises UsageError when it is not in doubt."""
    if not connection.execute(LIFT, {"id": number}).rowcount:
        raise UsageError(f"Certificate {number} is not in doubt.", mend="rung certificates")
    connection.execute(REST, {"id": number})
    audit(connection, actor, "certificate lifted", f"certificate {number}", 1)


def _take(connection: Connection, number: int, wrong: Sequence[bool]) -> None:
    row = connection.execute(CERTIFICATE, {"id": number}).one()
    if row.state == "void":
        return
    vigil = heard_all(_vigil(connection, row), wrong)
    connection.execute(
        KEEP,
        {
            "id": number,
            "audits": vigil.audits,
            "errors": vigil.errors,
            "wealth": list(vigil.wealth),
            "detector": list(vigil.detector),
            "most": vigil.most,
        },
    )
    _follow(connection, row, vigil)


def _follow(connection: Connection, row: Row[Any], vigil: Vigil) -> None:
    counts = f"{vigil.errors} of {vigil.audits} audited answers were wrong"
    match vigil.watch(row.delta):
        case Watch.RED:
            void(connection, row.id, f"{counts}, more than the claim of {row.alpha:g} allows")
        case Watch.AMBER if row.state == "valid":
            connection.execute(DOUBT, {"id": row.id})
            words = f"Certificate {row.id} is in doubt: {counts}; its stricter threshold holds."
            key, target = f"{row.id}:{vigil.audits}", f"certificate {row.id}"
            note(connection, "certificate_amber", key=key, target=target, words=words)


def _vigil(connection: Connection, row: Row[Any]) -> Vigil:
    """The evidence so far. Parity allows alpha of all messages, so of those that went out under it
    alpha over the share that did."""
    alpha = row.alpha / max(row.coverage, 1e-6) if row.claim == "parity" else row.alpha
    last = connection.execute(LAST, {"id": row.id}).one_or_none()
    vigil = begin(min(alpha, HIGHEST))
    if last is None:
        return vigil
    return Vigil(
        alpha=vigil.alpha,
        wealth=tuple(last.wealth),
        detector=tuple(last.detector),
        audits=last.audits,
        errors=last.errors,
        most=last.most,
    )


ROWS = "jsonb_to_recordset(CAST(:rows AS jsonb)) AS t(job_id bigint, fence int)"
# Of an answer that was judged before nothing is heard: each counts once.
FRESH = text(f"""
SELECT a.certificate_id, NOT coalesce(u.is_right, false) AS wrong
FROM {ROWS} JOIN attempts AS a USING (job_id, fence) JOIN audits AS d USING (job_id, fence)
JOIN LATERAL (
  SELECT min(id) AS id, count(*) AS verdicts FROM truths WHERE job_id = t.job_id
    AND fence = t.fence AND grader <> 'tier' AND undone_at IS NULL) AS first ON first.verdicts = 1
JOIN truths AS u ON u.id = first.id
WHERE a.certificate_id IS NOT NULL AND a.outcome = 'accepted' AND d.purpose = 'audit'
ORDER BY u.id
""")
TOUCHED = text(f"""
SELECT DISTINCT a.certificate_id FROM {ROWS} JOIN attempts AS a USING (job_id, fence)
JOIN audits AS d USING (job_id, fence)
WHERE a.certificate_id IS NOT NULL AND a.outcome = 'accepted' AND d.purpose = 'audit'
ORDER BY 1
""")
PASSED = text(f"""
SELECT a.certificate_id, count(*)::int AS answers
FROM {ROWS} JOIN attempts AS a USING (job_id, fence) JOIN audits AS d USING (job_id, fence)
WHERE a.certificate_id IS NOT NULL AND a.outcome = 'accepted' AND d.purpose = 'audit'
GROUP BY 1 ORDER BY 1
""")
ALL = text("""
SELECT NOT coalesce(u.is_right, false) FROM (
  SELECT coalesce(min(u.id) FILTER (WHERE u.grader <> 'tier'), min(u.id)) AS id
  FROM attempts AS a JOIN audits AS d USING (job_id, fence) JOIN truths AS u USING (job_id, fence)
  WHERE a.certificate_id = :id AND a.outcome = 'accepted' AND d.purpose = 'audit'
    AND (u.grader <> 'tier' OR d.state = 'passed') AND u.undone_at IS NULL
  GROUP BY a.job_id, a.fence) AS first JOIN truths AS u ON u.id = first.id
ORDER BY u.id
""")
FORGET = text("DELETE FROM evidence WHERE certificate_id = :id")
CERTIFICATE = text("SELECT * FROM certificates WHERE id = :id FOR UPDATE")
LAST = text("SELECT * FROM evidence WHERE certificate_id = :id ORDER BY day DESC LIMIT 1")
# A transaction that began before midnight may write after one that began later: the last row is the
# one that counts.
KEEP = text("""
INSERT INTO evidence (certificate_id, day, audits, errors, wealth, detector, most)
VALUES (:id, GREATEST((now() AT TIME ZONE 'UTC')::date,
    (SELECT max(day) FROM evidence WHERE certificate_id = :id)),
  :audits, :errors, :wealth, :detector, :most)
ON CONFLICT (certificate_id, day) DO UPDATE SET audits = excluded.audits,
  errors = excluded.errors, wealth = excluded.wealth, detector = excluded.detector,
  most = excluded.most
""")
DOUBT = text("""
UPDATE certificates SET state = 'amber', changed_at = clock_timestamp() WHERE id = :id
""")
LIFT = text("""
UPDATE certificates SET state = 'valid', changed_at = clock_timestamp()
WHERE id = :id AND state = 'amber'
""")
REST = text("""
UPDATE evidence SET detector = ARRAY(SELECT 0::float8 FROM unnest(detector))
WHERE certificate_id = :id AND day = (SELECT max(day) FROM evidence WHERE certificate_id = :id)
""")
