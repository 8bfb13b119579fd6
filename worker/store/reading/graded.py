"""Runs as graded outcomes: what each tier said of every message, and what is known of its truth."""

from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any

from sqlalchemy import Connection, Row, text

from worker.domain.in_force import UNCERTIFIED
from worker.domain.judgement import LOW_CONFIDENCE
from worker.domain.proof.graded import GradedAnswer, GradedMessage
from worker.store.locks import MAY_IDLE
from worker.store.queue.audits import draw_sql
from worker.store.reading.answers_in_turn import STREAMED, TO_THE_END, AnswersInTurn, JudgedAnswer
from worker.store.reading.job_samples import drawn_jobs, evenly_spaced, share_to_draw
from worker.store.reading.paid import NOTHING_PAID, first_paid
from worker.store.reading.populations import AnswerKey, AnswerKind, Population

BY_SCORE = frozenset({LOW_CONFIDENCE, UNCERTIFIED})
"""Reasons that a laxer threshold would not have given."""
READ_WHOLE = 2_000
"""A run of so many jobs costs little more than a sample, and is read whole."""
PARTS = ("difficulty", "channel", "language")
"""What messages can be parted by, beside any key of their metadata."""


def population(
    connection: Connection,
    runs: Sequence[int],
    segment_by: str = "difficulty",
    *,
    by_score: bool = False,
    sample: int | None = None,
    by_draw: int | None = None,
) -> Population:
    """All finished messages of the runs; `by_score` counts as valid also what only its score kept
    from being accepted, for the frontier asks about other thresholds. Identical texts of one
    customer are one message: the second tells nothing new. Time grows with the runs, memory with
    the verdicts; `by_score` also with what is read. Of one run of more than `READ_WHOLE`, `sample`
    reads so many messages, a few in a row at evenly spaced places. `by_draw` reads about so many,
    or a few more: those that the draw of audits and shadows chooses first, so that all that it has
    chosen are among them, with the probability that they are of these."""
    values: dict[str, Any] = {"runs": list(runs)}
    connection.execute(MAY_IDLE)  # Over many answers one thinks for longer than it may be.
    found = Population(of=int(connection.execute(SIZE, values).scalar_one()))
    if sample is not None and found.of > READ_WHOLE:
        values["ids"] = evenly_spaced(connection, runs[0], sample)
    elif by_draw is not None and found.of > by_draw:
        found.part = share_to_draw(connection, runs, by_draw / found.of)
        if found.part < 1:
            values["ids"] = drawn_jobs(connection, runs, found.part)
    messages, said_by = OF_JOBS if "ids" in values else OF_RUNS
    paid = first_paid(connection, values) if by_score else {}
    connection.execute(TO_THE_END)
    said = AnswersInTurn(connection, said_by, values)
    for row in connection.execute(messages, values, execution_options=STREAMED):
        of_it = said.about(row.id)
        if row.twin:
            continue
        answers, kinds = _answers(found, of_it, by_score=by_score)
        before = paid.get(row.id, NOTHING_PAID)
        message = GradedMessage(
            name=f"{row.run}/{row.external_id}",
            segment=_segment(row, segment_by),
            chars=row.chars,
            answers=answers,
            shadow=_of_part(float(row.shadow_share), found.part),
            routing=before.routing,
            usage=before.usage,
        )
        _add(found, message, kinds, row)
    for of_all in (found.messages, found.sampled):
        of_all.judged.update(said.judged_shares())
    return found


def _answers(
    found: Population, said: Sequence[JudgedAnswer], *, by_score: bool
) -> tuple[dict[str, GradedAnswer], dict[str, AnswerKind]]:
    """By tier: what it said of a message, and of which kind that is where it could be judged."""
    answers: dict[str, GradedAnswer] = {}
    kinds: dict[str, AnswerKind] = {}
    for row in said:
        if row.tier not in answers and row.outcome in ("accepted", "rejected"):
            kinds[row.tier] = (row.shadowed, row.result)
        answers.setdefault(row.tier, _graded(found, row, by_score=by_score))
    return answers, kinds


def _add(
    found: Population, message: GradedMessage, kinds: Mapping[str, AnswerKind], row: Row[Any]
) -> None:
    found.messages.kept.add((message, kinds))
    if row.sampled:
        found.sampled.kept.add((message, kinds))
    found.begun = min(filter(None, (found.begun, row.created_at)))
    found.ended = max(filter(None, (found.ended, row.finished_at)))


def _of_part(probability: float, part: float) -> float:
    """How probable it is for a message that is read: one number draws everything of a message, so
    whatever it chooses for a smaller share it has chosen for a larger one."""
    return min(probability / part, 1.0)


def _graded(found: Population, row: JudgedAnswer, *, by_score: bool) -> GradedAnswer:
    accepted = row.outcome == "accepted"
    found.simulated = found.simulated or bool(row.simulated)
    if accepted and not row.shadowed:
        key = AnswerKey(
            model=row.model or "",
            prompt_version=row.prompt_version or "",
            schema_version=row.schema_version or "",
            effort=row.effort or "",
            policy_version=row.policy_version,
            knowledge_version=row.knowledge_version or "",
        )
        found.keys.setdefault(row.tier, set()).add(key)
        found.drawn += row.probability is not None
        found.ungraded += row.people is None and row.audit not in (None, "passed")
    if row.people is not None:
        who = row.graders or "import"
        found.verdicts[who] = found.verdicts.get(who, 0) + 1
        found.twice += row.judges > 1
        found.differing += row.judges > 1 and bool(row.any_right) and not row.people
        found.labels.append(f"{row.job_id}:{row.fence}:{row.people}")
    looked = float(row.people_share) if row.passed else 1.0
    right, share = _known(row, accepted=accepted)
    share = _of_part(share, found.part)
    return GradedAnswer(
        valid=accepted or (by_score and BY_SCORE.issuperset(row.reasons or ("unknown",))),
        right=right,
        confidence=float(row.confidence) if row.confidence is not None else None,
        length=row.length or None,
        cost=Decimal(row.cost),
        probability=share * looked,
        passed=bool(row.passed),
        looked=looked,
        waits=bool(row.said) and row.people is None and row.audit in ("open", "second"),
        asked=_of_part(float(row.shadow_share), found.part) if row.shadowed else 1.0,
    )


def _known(row: JudgedAnswer, *, accepted: bool) -> tuple[bool | None, float]:
    """Whether the answer was right, and with which probability that would be known. What could not
    be used is wrong, and so is what a shadow did not get past the validators."""
    shadows = float(row.shadow_share)
    if row.outcome not in ("accepted", "rejected"):
        return False, shadows if row.shadowed else 1.0
    if row.shadowed:
        return (row.people if accepted else False), shadows
    right: bool | None = row.people if row.probability is not None else None
    return right, max(float(row.audit_share), shadows) if row.result else shadows


def _segment(row: Row[Any], by: str) -> str:
    if by in PARTS:
        return str(getattr(row, by) or "")
    metadata: Mapping[str, Any] = row.metadata or {}
    return str(metadata.get(by, ""))


# By the digest first: what differs there, and that is nearly all, need not be compared as text.
MESSAGES_FROM = f"""
SELECT j.id, r.name AS run, m.external_id, j.difficulty, m.channel, m.language, m.metadata,
  char_length(m.body) AS chars, j.created_at, j.finished_at, r.shadow_share,
  {draw_sql("j.id")} < r.audit_share AS sampled, twins.id IS NOT NULL AS twin
FROM jobs AS j JOIN runs AS r ON r.id = j.run_id JOIN messages AS m ON m.id = j.message_id
CROSS JOIN audit_salt AS z
LEFT JOIN (
  SELECT id FROM (
    SELECT j.id, row_number() OVER (PARTITION BY m.digest, m.customer_id ORDER BY j.id) AS nth
    FROM jobs AS j JOIN messages AS m ON m.id = j.message_id
    WHERE j.state IN ('answered', 'review') AND m.digest <> '' AND {{these}}) AS alike
  WHERE nth > 1) AS twins ON twins.id = j.id
WHERE j.state IN ('answered', 'review') AND {{these}} ORDER BY j.id"""
MESSAGES = text(MESSAGES_FROM.format(these="j.run_id = ANY(:runs)"))
MESSAGES_OF_JOBS = text(MESSAGES_FROM.format(these="j.id = ANY(:ids)"))
# The last answer of a tier counts. Of people, all must say right: one who is unsure is not enough.
COLUMNS = """a.job_id, a.fence, a.tier, a.model, a.outcome, a.reasons, a.confidence,
  a.prompt_version, a.schema_version, a.effort, a.policy_version, a.knowledge_version,
  d.probability,
  o.audit_share, o.shadow_share,
  d.state AS audit, d.people_share, coalesce(t.passed, false) AS passed, t.said,
  t.judges, t.any_right, t.people, t.graders,
  s.job_id IS NOT NULL AS result, char_length(s.reply) AS length, s.simulated,
  a.cost * CASE WHEN a.lane = 'batch' AND o.lane <> 'batch' THEN 2 ELSE 1 END AS cost"""
BESIDE = """
LEFT JOIN results AS s ON s.job_id = a.job_id AND s.fence = a.fence
LEFT JOIN audits AS d ON d.job_id = a.job_id AND d.fence = a.fence
LEFT JOIN LATERAL (
  SELECT bool_and(coalesce(u.is_right, false)) FILTER (WHERE u.grader <> 'tier') AS people,
    max(u.grader) FILTER (WHERE u.grader <> 'tier') AS graders,
    count(DISTINCT u.grader_name) FILTER (WHERE u.grader = 'person') AS judges,
    bool_or(u.is_right) FILTER (WHERE u.grader = 'person') AS any_right,
    coalesce(bool_or(u.grader = 'tier'), false) AS said,
    bool_and(coalesce(u.is_right, false)) FILTER (WHERE u.grader = 'tier') AS passed
  FROM truths AS u WHERE u.job_id = a.job_id AND u.fence = a.fence AND u.undone_at IS NULL
  ) AS t ON true"""
JUDGED_ONES = """a.stage = 'answer'
  AND a.outcome IN ('accepted', 'rejected', 'refused', 'truncated', 'empty', 'malformed')"""
ANSWERS_FROM = f"""
SELECT DISTINCT ON (a.job_id, a.tier) a.job_id AS about, false AS shadowed, {COLUMNS}
FROM jobs AS j JOIN runs AS o ON o.id = j.run_id JOIN attempts AS a ON a.job_id = j.id {BESIDE}
WHERE j.state IN ('answered', 'review') AND {JUDGED_ONES} AND """
BY_TIER = "ORDER BY a.job_id, a.tier, a.fence DESC"
ANSWERS = text(f"{ANSWERS_FROM} j.run_id = ANY(:runs) {BY_TIER}")
ANSWERS_OF_JOBS = text(f"{ANSWERS_FROM} j.id = ANY(:ids) {BY_TIER}")
SHADOWED_FROM = f"""
SELECT DISTINCT ON (j.origin_id, a.tier) j.origin_id AS about, true AS shadowed, {COLUMNS}
FROM runs AS r
CROSS JOIN LATERAL (SELECT * FROM runs WHERE id = r.parent_id OFFSET 0) AS o
CROSS JOIN LATERAL (SELECT id, origin_id FROM jobs WHERE run_id = r.id OFFSET 0) AS j
CROSS JOIN LATERAL (SELECT * FROM attempts WHERE job_id = j.id OFFSET 0) AS a {BESIDE}
WHERE r.kind = 'shadow' AND r.parent_id = ANY(:runs) AND {JUDGED_ONES}"""
BY_ORIGIN = "ORDER BY j.origin_id, a.tier, a.job_id, a.fence DESC"
SHADOWED = text(f"{SHADOWED_FROM} {BY_ORIGIN}")
SHADOWED_OF_JOBS = text(f"{SHADOWED_FROM} AND j.origin_id = ANY(:ids) {BY_ORIGIN}")
OF_RUNS = MESSAGES, (ANSWERS, SHADOWED)
OF_JOBS = MESSAGES_OF_JOBS, (ANSWERS_OF_JOBS, SHADOWED_OF_JOBS)
SIZE = text("""
SELECT coalesce(sum(jobs), 0) FROM run_counts
WHERE run_id = ANY(:runs) AND state IN ('answered', 'review')
""")
