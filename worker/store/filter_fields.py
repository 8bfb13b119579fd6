"""Fields of a filter that may have several values of a job: any of them may meet the test."""

from collections.abc import Callable
from typing import Any

from sqlalchemy import (
    ColumnElement,
    Select,
    Text,
    and_,
    case,
    cast,
    column,
    exists,
    false,
    func,
    literal,
    not_,
    or_,
    select,
)
from sqlalchemy.dialects.postgresql import JSONB

from models.attempts import Attempt
from models.contexts import ShownContext
from models.escalations import Escalation
from models.jobs import Job
from models.knowledge import KnowledgePassage, RunKnowledge
from models.results import Result
from models.runs import Run
from worker.domain.filters import (
    CHANGED,
    KNOWLEDGE,
)

Test = Callable[[ColumnElement[Any]], ColumnElement[bool]]


def _reason(test: Test) -> ColumnElement[bool]:
    tried = func.unnest(Attempt.reasons).column_valued("tried", joins_implicitly=True)
    return or_(
        func.coalesce(test(Job.__table__.c.reason), false()),
        _some(select(1).select_from(Attempt).where(Attempt.job_id == Job.id, test(tried)), Job),
        _some(
            select(1).where(Escalation.job_id == Job.id, test(Escalation.__table__.c.reason)), Job
        ),
    )


def _some(rows: Select[*tuple[Any, ...]], *of: Any) -> ColumnElement[bool]:
    """Whether there are such rows of a job. The offset keeps Postgres from hashing the whole table
    for one page of jobs, which it would do however large that is."""
    return exists(rows.offset(0)).correlate(*of)


def _climbed(test: Test) -> ColumnElement[bool]:
    return _some(
        select(1).where(Escalation.job_id == Job.id, test(Escalation.__table__.c.from_tier)), Job
    )


def _finding(test: Test) -> ColumnElement[bool]:
    listed = case((func.jsonb_typeof(Attempt.findings) == "array", Attempt.findings))
    found = func.jsonb_array_elements(listed).table_valued(
        column("value", JSONB), name="found", joins_implicitly=True
    )
    validator = found.c.value["validator"].astext
    return _some(
        select(1).select_from(Attempt).where(Attempt.job_id == Job.id, test(validator)), Job
    )


def _prompt(test: Test) -> ColumnElement[bool]:
    return _some(
        select(1).where(Attempt.job_id == Job.id, test(Attempt.__table__.c.prompt_version)), Job
    )


def _policy(test: Test) -> ColumnElement[bool]:
    return or_(test(Run.__table__.c.policy_name), test(Run.__table__.c.policy_version))


def _run(test: Test) -> ColumnElement[bool]:
    return or_(test(Run.__table__.c.name), test(cast(Run.id, Text)))


def _knowledge(test: Test) -> ColumnElement[bool]:
    """Whether a passage that the answer cites stands no more as it was shown: beside the message,
    or with all others in the prompt."""
    beside = func.jsonb_array_elements(ShownContext.document["passages"]).table_valued(
        column("value", JSONB), name="shown", joins_implicitly=True
    )
    whole = func.jsonb_each_text(RunKnowledge.shown).table_valued(
        column("key", Text), column("value", Text), name="whole", joins_implicitly=True
    )
    changed = or_(
        _some_cited(
            ShownContext,
            and_(
                ShownContext.digest == Attempt.context_digest,
                ShownContext.message_id == Job.message_id,
            ),
            name=beside.c.value[0].astext,
            version=beside.c.value[1].astext,
        ),
        _some_cited(
            RunKnowledge,
            and_(
                RunKnowledge.version == Attempt.knowledge_version,
                RunKnowledge.run_id == Job.run_id,
                RunKnowledge.whole,
            ),
            name=whole.c.key,
            version=whole.c.value,
        ),
    )
    return and_(test(literal(CHANGED, Text)), changed)


def _some_cited(
    shown: Any, of_attempt: ColumnElement[bool], *, name: ColumnElement[str], version: Any
) -> ColumnElement[bool]:
    """Whether the answer cites one of the passages that its attempt was shown, which stands no more
    under that name in that version."""
    stands = select(1).where(
        KnowledgePassage.name == name, KnowledgePassage.__table__.c.version == version
    )
    return _some(
        select(1)
        .select_from(Attempt)
        .join(shown, of_attempt)
        .where(
            Attempt.job_id == Job.id,
            Attempt.fence == Result.fence,
            func.jsonb_exists(Result.__table__.c.fields["sources"], name),
            not_(exists(stands).correlate_except(KnowledgePassage)),
        ),
        Job,
        Result,
    )


SEVERAL: dict[str, Callable[[Test], ColumnElement[bool]]] = {
    "reason": _reason,
    "climbed": _climbed,
    "finding": _finding,
    "prompt": _prompt,
    KNOWLEDGE: _knowledge,
    "policy": _policy,
    "run": _run,
}
"""Fields that may have several values: any of them may meet the test."""
