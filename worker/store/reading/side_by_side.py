"""Answers to be read: a few of a run, chosen by chance, and the same messages in another run. Each
step looks at a bounded piece of an index, whatever the size of the run."""

import random
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from math import ceil

from sqlalchemy import Connection, text

from worker.domain.wording import reason
from worker.store.reading.exchanges import Exchange, exchanges
from worker.store.reading.job_counts import counted_jobs
from worker.store.rows import values_of

MOST = 200
"""Answers that one sample shows, at the most."""
AT_ONCE = 1_500
"""A run of so many jobs is read whole; of a larger one, the jobs after points chosen by chance."""
PLACES, TOGETHER = 7, 10
"""Jobs that follow one another lie on the same pages of the disk, so a few are taken at each place:
as many as leave `PLACES` of them, and up to `TOGETHER`."""
OVER, NEAR = 4, 25
"""How often as many places are tried as are wanted, and a few, and jobs that are looked at after
each: two places may have the same jobs, and some none that was answered."""
FEW_MORE = 1
PAIRS_LOOKED_AT = 10
"""Messages that are looked at for each pair that is wanted, to find those that differ."""


@dataclass(frozen=True, slots=True, kw_only=True)
class AnswerShown:
    """An answer without its text. `threshold` is the confidence that was asked of it; `climbs` are
    its steps up the ladder and why, in order."""

    job: int
    message_id: int
    run: str
    external_id: str
    channel: str | None
    language: str | None
    state: str
    tier: str | None
    confidence: Decimal | None
    threshold: Decimal | None
    reason: str | None
    cost_usd: Decimal
    simulated: bool | None
    climbs: list[str] | None

    @property
    def sure(self) -> Decimal | None:
        """How sure it was, where `why` does not say it beside what was asked."""
        return self.confidence if self.threshold is None else None

    @property
    def why(self) -> str:
        """How it came there, and how sure it was."""
        words = [reason(climb) for climb in self.climbs or ()]
        if self.state == "review" and self.reason and not words:
            words.append(f"for a person: {reason(self.reason)}")
        if self.confidence is not None and self.threshold is not None:
            words.append(f"{self.confidence:.2f} sure, {self.threshold:.2f} asked")
        return "; ".join(words)


@dataclass(frozen=True, slots=True, kw_only=True)
class Beside:
    """An answer, and in a comparison the other run's to the same message."""

    a: AnswerShown
    b: AnswerShown | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class SampleShown:
    """What was chosen. Of a comparison, `looked_at` messages were read in both runs, and `differ`
    of them have another reply."""

    rows: list[Beside]
    looked_at: int = 0
    differ: int = 0

    @property
    def jobs(self) -> list[int]:
        """All jobs that are shown."""
        return [one.job for row in self.rows for one in (row.a, row.b) if one is not None]


def sample_run(connection: Connection, run_id: int, size: int, seed: int) -> SampleShown:
    """`size` answers of a run, by chance; for the same seed the same, while nothing changes."""
    ids = _chosen(connection, run_id, size, seed)
    found = _shown(connection, ids)
    return SampleShown(rows=[Beside(a=found[job]) for job in ids if job in found])


def sample_pairs(
    connection: Connection, run_a: int, run_b: int, *, size: int, seed: int, same: bool = False
) -> SampleShown:
    """`size` messages that both runs have answered, by chance: those whose replies differ, or with
    `same` all of them."""
    # Drawn from the smaller: of the larger, chance would mostly choose what the other lacks.
    small, other = sorted((run_a, run_b), key=lambda run: counted_jobs(connection, run))
    ids = _chosen(connection, small, size * PAIRS_LOOKED_AT, seed)
    rows = connection.execute(PAIRED, {"ids": ids, "run": other}).all()
    both = {row.job: row for row in rows}
    meant = [both[job] for job in ids if job in both and (same or both[job].differs)][:size]
    found = _shown(connection, [job for row in meant for job in (row.job, row.other)])
    return SampleShown(
        rows=[_beside(found[row.job], found[row.other], turned=small != run_a) for row in meant],
        looked_at=len(both),
        differ=sum(row.differs for row in rows),
    )


def _beside(drawn: AnswerShown, other: AnswerShown, *, turned: bool) -> Beside:
    return Beside(a=other, b=drawn) if turned else Beside(a=drawn, b=other)


def texts_of(connection: Connection, shown: SampleShown) -> dict[int, Exchange]:
    """Messages and replies, by job. The caller sees to the audit."""
    return exchanges(connection, shown.jobs)


def _chosen(connection: Connection, run_id: int, size: int, seed: int) -> list[int]:
    """Jobs that have an answer, in an order of chance."""
    chance = random.Random(seed)
    if counted_jobs(connection, run_id) <= AT_ONCE:
        ids = list(connection.execute(FEW, {"run": run_id, "limit": AT_ONCE}).scalars())
    else:
        low, high = connection.execute(BOUNDS, {"run": run_id}).one()
        together = min(ceil(size / PLACES), TOGETHER)
        values = {"run": run_id, "near": NEAR, "together": together}
        seen = set[int]()
        for _ in range(OVER):
            points = [chance.randint(low, high) for _ in range(ceil(size / together) + FEW_MORE)]
            seen.update(connection.execute(MANY, values | {"points": points}).scalars())
            if len(seen) >= size:
                break
        ids = sorted(seen)
    return chance.sample(ids, min(size, len(ids)))


def _shown(connection: Connection, jobs: Sequence[int]) -> dict[int, AnswerShown]:
    rows = values_of(AnswerShown, connection.execute(SHOWN, {"ids": list(jobs)}))
    return {row.job: row for row in rows}


FEW = text("""
SELECT id FROM (
  SELECT id, state FROM jobs WHERE run_id = :run ORDER BY run_id, message_id LIMIT :limit) AS j
WHERE state IN ('answered', 'review') ORDER BY id
""")
BOUNDS = text("""
SELECT (SELECT message_id FROM jobs WHERE run_id = :run ORDER BY run_id, message_id LIMIT 1),
  (SELECT message_id FROM jobs WHERE run_id = :run ORDER BY run_id DESC, message_id DESC LIMIT 1)
""")
# Compared as a pair, which only the index of both can answer: by the message alone, every other
# run's jobs would be looked at.
MANY = text("""
SELECT j.id FROM unnest(CAST(:points AS bigint[])) AS point(at)
CROSS JOIN LATERAL (
  SELECT id FROM (
    SELECT id, run_id, state FROM jobs WHERE (run_id, message_id) >= (:run, point.at)
    ORDER BY run_id, message_id LIMIT :near) AS after
  WHERE run_id = :run AND state IN ('answered', 'review') LIMIT :together) AS j
""")
PAIRED = text("""
SELECT a.id AS job, b.id AS other, ra.reply IS DISTINCT FROM rb.reply AS differs
FROM unnest(CAST(:ids AS bigint[])) AS wanted(id)
CROSS JOIN LATERAL (SELECT id, message_id FROM jobs WHERE id = wanted.id OFFSET 0) AS a
CROSS JOIN LATERAL (
  SELECT id FROM jobs WHERE run_id = :run AND message_id = a.message_id
    AND state IN ('answered', 'review') OFFSET 0) AS b
LEFT JOIN LATERAL (SELECT reply FROM results WHERE job_id = a.id OFFSET 0) AS ra ON true
LEFT JOIN LATERAL (SELECT reply FROM results WHERE job_id = b.id OFFSET 0) AS rb ON true
""")
SHOWN = text("""
SELECT j.id AS job, j.message_id, n.name AS run, m.external_id, m.channel, m.language, j.state,
  coalesce(s.tier, j.tier) AS tier, s.confidence, t.threshold, j.reason, j.cost AS cost_usd,
  s.simulated, e.climbs
FROM unnest(CAST(:ids AS bigint[])) AS wanted(id)
CROSS JOIN LATERAL (SELECT * FROM jobs WHERE id = wanted.id OFFSET 0) AS j
CROSS JOIN LATERAL (SELECT name FROM runs WHERE id = j.run_id OFFSET 0) AS n
CROSS JOIN LATERAL (
  SELECT external_id, channel, language FROM messages WHERE id = j.message_id OFFSET 0) AS m
LEFT JOIN LATERAL (
  SELECT tier, confidence, simulated, fence FROM results WHERE job_id = j.id OFFSET 0) AS s ON true
LEFT JOIN LATERAL (
  SELECT threshold FROM attempts WHERE job_id = j.id AND fence = s.fence OFFSET 0) AS t ON true
LEFT JOIN LATERAL (
  SELECT array_agg(from_tier || ' → ' || to_tier || ': ' || reason ORDER BY fence) AS climbs
  FROM (SELECT * FROM escalations WHERE job_id = j.id OFFSET 0) AS steps) AS e ON true
""")
