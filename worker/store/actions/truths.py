"""Verdicts on answers: given, taken back, imported. They stand beside the record, never over it."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import islice

from sqlalchemy import Connection, Engine, Row, text

from models.vocabulary import Grader, ReadingKind
from worker.errors import UsageError
from worker.store.audit import Actor, audit
from worker.store.queue.vigils import hear, hear_again
from worker.store.rows import as_json

GROUP = 1_000


@dataclass(frozen=True, slots=True)
class Graded:
    """One verdict: `right` is None where whoever looked could not say."""

    job_id: int
    fence: int
    right: bool | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Imported:
    """A row of a file: a job by number or by run and external id; `tier` names whose answer, the
    one that went out if left out."""

    line: int
    job: int | None
    run: str | None
    external_id: str | None
    tier: str | None
    right: bool | None


def give(engine: Engine, actor: Actor, grader: Grader, verdict: Graded) -> None:
    """Stores a verdict; an earlier one of the same person on the same answer is taken back. Raises
    UsageError when there is no such answer."""
    with engine.begin() as connection:
        store(connection, grader, actor.name, [verdict])


def store(connection: Connection, grader: Grader, name: str, verdicts: Iterable[Graded]) -> None:
    """As `give`, for many, inside the caller's transaction."""
    latest = {(v.job_id, v.fence): v.right for v in verdicts}
    rows = [{"job_id": j, "fence": f, "right": right} for (j, f), right in sorted(latest.items())]
    values = {"rows": as_json(rows), "grader": grader, "name": name}
    known = connection.execute(KNOWN, values).scalar_one()
    if known < len(rows):
        raise UsageError("There is no such answer.", mend="for a job's answers: rung show JOB")
    changed = connection.execute(SUPERSEDE, values).rowcount
    connection.execute(INSERT, values)
    connection.execute(CLOSE, values)
    if grader is Grader.PERSON:
        connection.execute(END_READING, values | {"kind": ReadingKind.AUDIT})
    if grader is not Grader.TIER:
        (hear_again if changed else hear)(connection, latest)


def undo(engine: Engine, actor: Actor) -> int | None:
    """Takes back the last verdict that this person gave, and opens its audit again. Returns the
    job, or None when there is nothing to take back."""
    with engine.begin() as connection:
        row = connection.execute(UNDO, {"name": actor.name}).one_or_none()
        if row is None:
            return None
        _reopen(connection, [row])
        return int(row.job_id)


def undo_these(engine: Engine, actor: Actor, answers: Iterable[tuple[int, int]]) -> int:
    """Takes back this person's verdicts on these answers (job and fence). Returns how many."""
    rows = as_json({"job_id": job, "fence": fence} for job, fence in answers)
    with engine.begin() as connection:
        found = connection.execute(UNDO_THESE, {"rows": rows, "name": actor.name}).all()
        _reopen(connection, found)
        return len(found)


def _reopen(connection: Connection, rows: Sequence[Row[tuple[int, int]]]) -> None:
    for row in rows:
        connection.execute(REOPEN, {"job": row.job_id, "fence": row.fence})
    hear_again(connection, [(row.job_id, row.fence) for row in rows])


def take_file(engine: Engine, actor: Actor, name: str, rows: Iterable[Imported]) -> int:
    """All verdicts of a file, or with an error none. The same file again changes nothing but what
    it says otherwise. Returns how many rows were taken."""
    taken = 0
    with engine.begin() as connection:
        stream = iter(rows)
        while group := list(islice(stream, GROUP)):
            verdicts = list(_found(connection, group))
            store(connection, Grader.IMPORT, name, verdicts)
            taken += len(verdicts)
        audit(connection, actor, "truth import", name, taken)
    return taken


def _found(connection: Connection, group: list[Imported]) -> Iterator[Graded]:
    """The answers that the rows mean. Raises UsageError at the first that means none."""
    asked = as_json(
        {"line": r.line, "job": r.job, "run": r.run, "external_id": r.external_id, "tier": r.tier}
        for r in group
    )
    found: dict[int, list[Row[tuple[int, int, int]]]] = {}
    for row in connection.execute(FIND, {"rows": asked}):
        found.setdefault(row.line, []).append(row)
    for one in group:
        answers = found.get(one.line, [])
        if len(answers) != 1:
            named = one.job if one.job is not None else f"{one.run}/{one.external_id}"
            whose = f" of {one.tier}" if one.tier else ""
            many = f"{len(answers)} answers" if answers else "no answer"
            raise UsageError(
                f"Line {one.line}: job {named} has {many}{whose}. No verdict was taken.",
                mend="name run and external_id, or job, as `rung results` gives them",
            )
        yield Graded(answers[0].job_id, answers[0].fence, one.right)


ROWS = 'jsonb_to_recordset(CAST(:rows AS jsonb)) AS t(job_id bigint, fence int, "right" boolean)'
KNOWN = text(f"""
SELECT count(*) FROM {ROWS} JOIN attempts AS a USING (job_id, fence)
WHERE a.stage = 'answer' AND a.outcome IN ('accepted', 'rejected')
""")
SUPERSEDE = text(f"""
UPDATE truths AS u SET undone_at = clock_timestamp() FROM {ROWS}
WHERE u.job_id = t.job_id AND u.fence = t.fence AND u.grader = :grader AND u.grader_name = :name
  AND u.undone_at IS NULL
""")
# Of those who judged; whoever else is at it looks a second time.
END_READING = text(f"""
DELETE FROM reading_leases AS l USING {ROWS}
WHERE l.kind = :kind AND l.job_id = t.job_id AND l.fence = t.fence AND l.reader = :name
""")
INSERT = text(f"""
INSERT INTO truths (job_id, fence, grader, grader_name, is_right, at)
SELECT job_id, fence, :grader, :name, t.right, clock_timestamp() FROM {ROWS}
""")
# A tier's verdict closes nothing: people look at what it says.
LOOKED_AT = """CASE WHEN a.again AND (
    SELECT count(DISTINCT u.grader_name) FROM truths AS u WHERE u.job_id = a.job_id
      AND u.fence = a.fence AND u.undone_at IS NULL AND u.grader = 'person') < 2
  THEN 'second' ELSE 'graded' END"""
CLOSE = text(f"""
UPDATE audits AS a SET state = {LOOKED_AT}
FROM {ROWS} WHERE a.job_id = t.job_id AND a.fence = t.fence AND :grader <> 'tier'
""")
UNDO = text("""
UPDATE truths SET undone_at = clock_timestamp() WHERE id = (
  SELECT id FROM truths WHERE grader = 'person' AND grader_name = :name AND undone_at IS NULL
  ORDER BY id DESC LIMIT 1 FOR UPDATE)
RETURNING job_id, fence
""")
UNDO_THESE = text(f"""
UPDATE truths AS u SET undone_at = clock_timestamp() FROM {ROWS}
WHERE u.job_id = t.job_id AND u.fence = t.fence AND u.grader = 'person' AND u.grader_name = :name
  AND u.undone_at IS NULL
RETURNING u.job_id, u.fence
""")
REOPEN = text(f"""
UPDATE audits AS a SET state = CASE WHEN EXISTS (
    SELECT FROM truths AS u WHERE u.job_id = a.job_id AND u.fence = a.fence
      AND u.undone_at IS NULL AND u.grader <> 'tier') THEN {LOOKED_AT} ELSE 'open' END
WHERE a.job_id = :job AND a.fence = :fence
""")
FIND = text("""
SELECT t.line, a.job_id, max(a.fence) AS fence
FROM jsonb_to_recordset(CAST(:rows AS jsonb)) AS t(
  line int, job bigint, run text, external_id text, tier text)
JOIN LATERAL (
  SELECT j.id FROM jobs AS j WHERE j.id = t.job
  UNION SELECT j.id FROM messages AS m JOIN jobs AS j ON j.message_id = m.id
    JOIN runs AS r ON r.id = j.run_id
  WHERE t.job IS NULL AND m.external_id = t.external_id AND r.name = t.run) AS j ON true
JOIN attempts AS a ON a.job_id = j.id AND a.stage = 'answer'
  AND a.outcome IN ('accepted', 'rejected')
LEFT JOIN results AS s ON s.job_id = j.id
WHERE CASE WHEN t.tier IS NULL THEN a.fence = s.fence ELSE a.tier = t.tier END
GROUP BY t.line, a.job_id
""")
