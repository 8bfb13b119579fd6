"""Certificates issued, looked for, and void."""

import json
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from sqlalchemy import Connection, text

from worker.domain.proof.ladder_certificates import Certificate
from worker.store.audit import Actor, audit

LOOK = "certify"


@dataclass(frozen=True, slots=True, kw_only=True)
class Issue:
    """A certificate with what it rests on and holds for."""

    made: Certificate
    fallback: float | None
    segment_by: str
    key: dict[str, Any]
    runs: list[str]
    sources: dict[str, Any]
    rehearsal: bool


def look(connection: Connection, question: str, labels: str) -> tuple[int, bool]:
    """How many times the question was put, this time included, and whether this one is new.
    Looking at the same labels again is the same look. `question` and `labels` are digests."""
    connection.execute(LOCK, {"key": f"look:{question}"})
    seen = list(connection.execute(LOOKS, {"target": question}).scalars())
    if labels in seen:
        return seen.index(labels) + 1, False
    return len(seen) + 1, True


def remember_look(connection: Connection, actor: Actor, question: str, labels: str) -> None:
    """Counts a look, from the next one on."""
    audit(connection, actor, LOOK, question, 0, labels=labels)


def issue(connection: Connection, actor: Actor, given: Issue) -> int:
    """Stores a certificate that was granted; returns its number."""
    result = given.made.result
    assert result.threshold is not None, "what was refused is not issued"
    scorer = given.made.scorer
    values = {
        "claim": result.terms.claim,
        "tier": result.terms.tier,
        "top": result.terms.top,
        "alpha": result.terms.alpha,
        "delta": result.terms.delta,
        "errors": result.errors,
        "labels": result.labels,
        "upper": result.upper,
        "coverage": result.coverage,
        "threshold": Decimal(str(result.threshold)),
        "fallback": Decimal(str(given.fallback)) if given.fallback is not None else None,
        "scorer": json.dumps(scorer.as_document()) if scorer is not None else None,
        "segment_by": given.segment_by,
        "segments": json.dumps([_segment(one) for one in result.segments]),
        "key": json.dumps(given.key),
        "runs": json.dumps(given.runs),
        "sources": json.dumps(given.sources, default=str),
        "rehearsal": given.rehearsal,
        "by": actor.name,
    }
    number = int(connection.execute(ISSUE, values).scalar_one())
    audit(connection, actor, "certificate issued", f"certificate {number}", 1)
    return number


def _segment(one: Any) -> dict[str, Any]:
    return {name: getattr(one, name) for name in one.__slots__}


LOCK = text("SELECT pg_advisory_xact_lock(hashtext(:key))")
LOOKS = text("""
SELECT detail ->> 'labels' FROM audit_events WHERE action = 'certify' AND target = :target
ORDER BY id
""")
ISSUE = text("""
INSERT INTO certificates (claim, tier, top, alpha, delta, errors, labels, upper, coverage,
  threshold, fallback, scorer, segment_by, segments, key, runs, sources, rehearsal, issued_by)
VALUES (:claim, :tier, :top, :alpha, :delta, :errors, :labels, :upper, :coverage, :threshold,
  :fallback, CAST(:scorer AS jsonb), :segment_by, CAST(:segments AS jsonb), CAST(:key AS jsonb),
  CAST(:runs AS jsonb), CAST(:sources AS jsonb), :rehearsal, :by)
RETURNING id
""")
