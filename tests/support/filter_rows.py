"""Random jobs, stored in Postgres, and what a filter means for them in plain Python."""

import json
import re
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

from hypothesis import strategies as st
from sqlalchemy import Connection, text

from models.vocabulary import OPEN_STATES, JobState
from tests.support.filter_trees import numbers, texts
from worker.domain.filters import FIELDS, METADATA, And, Comparison, Node, Not, Op, Or, Value

UPPER = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
LOWER = str.maketrans(UPPER, UPPER.lower())
NUMBER = re.compile(r"-?[0-9]{1,12}(\.[0-9]{1,10})?")


@dataclass(frozen=True, slots=True)
class Tried:
    """An attempt; `climbed` is the reason of its escalation."""

    reasons: list[str]
    findings: list[str] | None
    prompt: str | None
    climbed: str | None


@dataclass(frozen=True, slots=True)
class Answer:
    """A result."""

    tier: str
    model: str
    confidence: Decimal | None


@dataclass(frozen=True, slots=True)
class Spec:
    """Everything of a job that a filter can see. `hours` is its age."""

    state: JobState
    tier: str | None
    reason: str | None
    difficulty: str | None
    channel: str | None
    run: str
    policy: tuple[str, str]
    hours: int
    counts: tuple[int, int]
    cost: Decimal
    metadata: dict[str, Any]
    tried: list[Tried]
    answer: Answer | None
    writer: tuple[str | None, str | None, str | None]
    """Customer, language and subject of the message."""
    number: list[int] = field(default_factory=list)
    """The job's and the run's id, once it is stored."""

    @property
    def external_id(self) -> str:
        return f"m{self.number[0]}"


maybe = st.none() | texts
confidences = (
    st.none() | st.integers(0, 10_000).map(lambda n: Decimal(n) / 10_000) | st.just(Decimal("0.5"))
)
tries = st.builds(
    Tried,
    reasons=st.lists(texts, max_size=2),
    findings=st.none() | st.lists(texts, max_size=2),
    prompt=maybe,
    climbed=maybe,
)
specs = st.builds(
    Spec,
    state=st.sampled_from([JobState.QUEUED, JobState.ANSWERED, JobState.REVIEW, JobState.DEAD]),
    tier=maybe,
    reason=maybe,
    difficulty=st.none() | st.sampled_from(FIELDS["difficulty"].words),
    channel=maybe,
    run=texts,
    policy=st.tuples(texts, texts),
    hours=st.integers(0, 10_000),
    counts=st.tuples(st.integers(0, 5), st.integers(0, 5)),
    cost=numbers,
    metadata=st.dictionaries(texts, texts | st.integers(-5, 5) | st.booleans() | st.none()),
    tried=st.lists(tries, max_size=2),
    answer=st.none() | st.builds(Answer, tier=texts, model=texts, confidence=confidences),
    writer=st.tuples(maybe, maybe, maybe),
)


def store(connection: Connection, specs: list[Spec]) -> None:
    """Inserts the jobs, each in a run of its own."""
    for n, spec in enumerate(specs):
        values = {
            "run": f"{n}{spec.run}", "policy": spec.policy[0], "version": spec.policy[1],
            "channel": spec.channel, "metadata": json.dumps(spec.metadata), "state": spec.state,
            "tier": spec.tier, "reason": spec.reason, "difficulty": spec.difficulty,
            "hours": spec.hours, "escalations": spec.counts[0], "attempts": spec.counts[1],
            "cost": spec.cost, "open": spec.state in OPEN_STATES, "placeholder": str(n),
            "customer": spec.writer[0], "language": spec.writer[1], "subject": spec.writer[2],
        }  # fmt: skip
        ids = connection.execute(INSERT, values).one()
        spec.number[:] = list(ids)
        connection.execute(NAME, {"name": f"m{ids[0]}", "job": ids[0]})
        tried = spec.tried or ([Tried([], None, None, None)] if spec.answer else [])
        for fence, one in enumerate(tried, 1):
            findings = None if one.findings is None else [{"validator": v} for v in one.findings]
            connection.execute(
                ATTEMPT,
                {"job": ids[0], "fence": fence, "reasons": one.reasons, "prompt": one.prompt,
                 "findings": json.dumps(findings)},
            )  # fmt: skip
            if one.climbed is not None:
                connection.execute(CLIMB, {"job": ids[0], "fence": fence, "reason": one.climbed})
        if spec.answer is not None:
            answer = spec.answer
            connection.execute(
                RESULT,
                {"job": ids[0], "tier": answer.tier, "model": answer.model,
                 "confidence": answer.confidence},
            )  # fmt: skip


def holds(node: Node, spec: Spec) -> bool:
    """The language's meaning, said once more in Python."""
    match node:
        case And(parts):
            return all(holds(part, spec) for part in parts)
        case Or(parts):
            return any(holds(part, spec) for part in parts)
        case Not(part):
            return not holds(part, spec)
        case Comparison():
            found = [value for value in _values(node, spec) if value is not None]
            if node.op is Op.NE:
                return not any(value == node.values[0] for value in found)
            return any(_meets(node.op, value, node.values) for value in found)


def _values(node: Comparison, spec: Spec) -> list[Any]:
    answer = spec.answer
    several: dict[str, list[Any]] = {
        "state": [spec.state],
        "reason": [
            spec.reason,
            *(reason for one in spec.tried for reason in one.reasons),
            *(one.climbed for one in spec.tried),
        ],
        "tier": [answer.tier if answer else spec.tier],
        "confidence": [answer.confidence if answer else None],
        "finding": [name for one in spec.tried for name in one.findings or ()],
        "prompt": [one.prompt for one in spec.tried],
        "knowledge": [],
        "policy": list(spec.policy),
        "model": [answer.model if answer else None],
        "run": [f"{spec.number[2]}{spec.run}", str(spec.number[1])],
        "age": [spec.hours],
        "channel": [spec.channel],
        "source": ["test"],
        "job": [spec.number[0]],
        "customer": [spec.writer[0]],
        "language": [spec.writer[1]],
        "subject": [spec.writer[2]],
        "external_id": [spec.external_id],
        "difficulty": [spec.difficulty],
        "escalations": [spec.counts[0]],
        "attempts": [spec.counts[1]],
        "climbed": ["a" for one in spec.tried if one.climbed is not None],
        "cost": [spec.cost],
    }
    if node.field != METADATA:
        return several[node.field]
    value = spec.metadata.get(node.key or "")
    as_text = value if isinstance(value, str) or value is None else json.dumps(value)
    if not isinstance(node.values[0], Decimal) or as_text is None:
        return [as_text]
    return [Decimal(as_text) if NUMBER.fullmatch(as_text) else None]


def _meets(op: Op, value: Any, wanted: tuple[Value, ...]) -> bool:
    first: Any = wanted[0]
    if hasattr(first, "total_seconds"):
        first = first.total_seconds() / 3_600
    match op:
        case Op.EQ | Op.IN:
            return value in wanted
        case Op.CONTAINS:
            return str(first).translate(LOWER) in str(value).translate(LOWER)
        case Op.LT:
            return bool(value < first)
        case Op.LE:
            return bool(value <= first)
        case Op.GT:
            return bool(value > first)
        case Op.GE:
            return bool(value >= first)
        case Op.NE:
            raise AssertionError("said above")


INSERT = text("""
WITH r AS (
  INSERT INTO runs (name, policy, policy_name, policy_version)
  VALUES (:run, '{}', :policy, :version) RETURNING id
), m AS (
  INSERT INTO messages (source, external_id, body, digest, channel, metadata, customer_id, language,
    subject)
  VALUES ('test', :placeholder, '', '', :channel, CAST(:metadata AS jsonb), :customer, :language,
    :subject) RETURNING id
)
INSERT INTO jobs (run_id, message_id, state, tier, reason, difficulty, created_at, finished_at,
  escalations, attempts, cost)
SELECT r.id, m.id, :state, :tier, :reason, :difficulty, now() - :hours * interval '1 hour',
  CASE WHEN :open THEN NULL ELSE now() END, :escalations, :attempts, :cost FROM r, m
RETURNING id, run_id, CAST(:placeholder AS int) AS place
""")
NAME = text("""
UPDATE messages SET external_id = :name WHERE id = (SELECT message_id FROM jobs WHERE id = :job)
""")
ATTEMPT = text("""
INSERT INTO attempts (job_id, fence, stage, lane, outcome, reasons, findings, policy_version,
  prompt_version, budget_day, available_at, finished_at)
VALUES (:job, :fence, 'answer', 'realtime', 'rejected', :reasons, CAST(:findings AS jsonb), 'v',
  :prompt, current_date, now(), now())
""")
CLIMB = text("""
INSERT INTO escalations (job_id, fence, from_tier, to_tier, reason)
VALUES (:job, :fence, 'a', 'b', :reason)
""")
RESULT = text("""
INSERT INTO results (job_id, fence, reply, tier, model, accepted, confidence)
VALUES (:job, 1, '', :tier, :model, true, :confidence)
""")
