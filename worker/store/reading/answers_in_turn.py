"""The judged answers of jobs, read beside the jobs themselves: both in one order, none held."""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from decimal import Decimal
from itertools import groupby
from operator import attrgetter
from typing import Any, Protocol, cast

from sqlalchemy import Connection, Row, TextClause, text

from worker.store.reading.populations import AnswerKind

FETCH = 1_000
STREAMED = {"yield_per": FETCH}
TO_THE_END = text("SET LOCAL cursor_tuple_fraction = 1")
"""Otherwise Postgres plans for the first tenth of what is read through a cursor."""


class JudgedAnswer(Protocol):
    """A row: an answer of a tier that was judged, with what is known of its truth. `about` is the
    job that it is said of, for a shadow's the one that it was drawn for."""

    about: int
    shadowed: bool
    job_id: int
    fence: int
    tier: str
    model: str | None
    outcome: str
    reasons: Sequence[str] | None
    confidence: Decimal | None
    prompt_version: str | None
    schema_version: str | None
    effort: str | None
    policy_version: str
    knowledge_version: str | None
    probability: Decimal | None
    audit_share: Decimal
    shadow_share: Decimal
    audit: str | None
    people_share: Decimal
    passed: bool
    said: bool
    judges: int
    any_right: bool | None
    people: bool | None
    graders: str | None
    result: bool
    length: int | None
    simulated: bool | None
    cost: Decimal


class AnswersInTurn:
    """The rows of several statements, each in the order of `about`, job by job. What a statement
    says first of a job comes first."""

    def __init__(
        self, connection: Connection, statements: Sequence[TextClause], values: Mapping[str, Any]
    ) -> None:
        self._sides = [
            _Side(connection.execute(statement, values, execution_options=STREAMED))
            for statement in statements
        ]
        self._drawn, self._judged = Counter[AnswerKind](), Counter[AnswerKind]()

    def about(self, job: int) -> list[JudgedAnswer]:
        """Those of this job; jobs are asked for in their order, and those between are passed."""
        found = list[JudgedAnswer]()
        for side in self._sides:
            for about, rows in side.up_to(job):
                self._count(rows)
                found += rows if about == job else ()
        return found

    def judged_shares(self) -> dict[AnswerKind, float]:
        """Of what was drawn the share that people have judged, of all that these statements say:
        they judge in an order that chance gives, so with this probability more."""
        for side in self._sides:
            for _, rows in side.up_to(None):
                self._count(rows)
        return {kind: self._judged[kind] / drawn for kind, drawn in self._drawn.items()}

    def _count(self, rows: Sequence[JudgedAnswer]) -> None:
        for row in rows:
            if row.audit is not None and row.audit != "passed":
                kind = (row.shadowed, row.result)
                self._drawn[kind] += 1
                self._judged[kind] += row.people is not None


class _Side:
    """One statement's rows, in groups of one job."""

    def __init__(self, rows: Iterable[Row[Any]]) -> None:
        self._groups = groupby(cast(Iterable[JudgedAnswer], rows), key=attrgetter("about"))
        self._next: tuple[int, list[JudgedAnswer]] | None = None

    def up_to(self, job: int | None) -> Iterator[tuple[int, list[JudgedAnswer]]]:
        """Groups of jobs up to this one, and all that are left where it is None."""
        while True:
            if self._next is None:
                about, rows = next(self._groups, (None, ()))
                if about is None:
                    return
                self._next = about, list(rows)
            if job is not None and self._next[0] > job:
                return
            taken, self._next = self._next, None
            yield taken
