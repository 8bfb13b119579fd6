"""A filter's tree as a SQL expression: every name is a column of ours, every value is bound.

The logic of the language has two values, that of SQL three: a leaf over a column that may be null
is wrapped so that *unknown* is false. Leaves over columns that are never null stay bare, so that
their indexes serve.
"""

import datetime as dt
from decimal import Decimal
from typing import Any

from sqlalchemy import (
    BigInteger,
    Column,
    ColumnElement,
    FromClause,
    Interval,
    Numeric,
    Text,
    and_,
    any_,
    case,
    cast,
    collate,
    false,
    func,
    literal,
    not_,
    or_,
)
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.sql import visitors

from models.jobs import Job
from models.messages import Message
from models.results import Result
from models.runs import Run
from worker.domain.filters import (
    METADATA,
    And,
    Comparison,
    Node,
    Not,
    Op,
    Or,
    Value,
)
from worker.store.filter_fields import SEVERAL, Test

LOOKS_LIKE_A_NUMBER = r"^-?[0-9]{1,12}(\.[0-9]{1,10})?$"
"""Metadata from a CSV is all text; what looks so is ordered as a number."""

OF_MESSAGE, OF_RUN = Message.id == Job.message_id, Run.id == Job.run_id
OF_RESULT = Result.job_id == Job.id
JOINED: FromClause = (
    Job.__table__.join(Message.__table__, OF_MESSAGE)
    .join(Run.__table__, OF_RUN)
    .outerjoin(Result.__table__, OF_RESULT)
)
"""One row for each job."""
JOBS_OF_RUNS: FromClause = Job.__table__.join(Run.__table__, OF_RUN)
"""The same with no more than the run beside it."""

COLUMNS: dict[str, tuple[ColumnElement[Any], bool]] = {
    "state": (Job.__table__.c.state, False),
    "tier": (func.coalesce(Result.tier, Job.tier), True),
    "confidence": (Result.__table__.c.confidence, True),
    "model": (Result.__table__.c.model, True),
    "channel": (Message.__table__.c.channel, True),
    "customer": (Message.__table__.c.customer_id, True),
    "language": (Message.__table__.c.language, True),
    "subject": (Message.__table__.c.subject, True),
    "source": (Message.__table__.c.source, False),
    "external_id": (Message.__table__.c.external_id, False),
    "difficulty": (Job.__table__.c.difficulty, True),
    "escalations": (Job.__table__.c.escalations, False),
    "attempts": (Job.__table__.c.attempts, False),
    "cost": (Job.__table__.c.cost, False),
}
"""Fields with one value, and whether a job may lack it."""


def condition(node: Node) -> ColumnElement[bool]:
    """The expression over `JOINED`; never null."""
    match node:
        case And(parts):
            return and_(*(condition(part) for part in parts))
        case Or(parts):
            return or_(*(condition(part) for part in parts))
        case Not(part):
            return not_(condition(part))
        case Comparison():
            return _comparison(node)


def joined_for(*conditions: ColumnElement[Any]) -> FromClause:
    """`JOINED` with no more beside job and run than these expressions look at: what is not joined
    need not be read, of each of a million jobs."""
    parts = [part for one in conditions for part in visitors.iterate(one)]
    # By name: an annotated table is another object, and an alias has another name.
    tables = {part.table.name for part in parts if isinstance(part, Column)}
    found = JOBS_OF_RUNS
    if Message.__tablename__ in tables:
        found = found.join(Message.__table__, OF_MESSAGE)
    if Result.__tablename__ in tables:
        found = found.outerjoin(Result.__table__, OF_RESULT)
    return found


def _comparison(node: Comparison) -> ColumnElement[bool]:
    if node.op is Op.NE:
        return not_(
            _comparison(Comparison(field=node.field, op=Op.EQ, values=node.values, key=node.key))
        )
    if node.field == "age":
        return _age(node.op, node.values[0])
    if node.field == "job":
        return _job(node.op, node.values)
    test = _test(node.op, node.values)
    if node.field == METADATA:
        return func.coalesce(test(_metadata(node)), false())
    if node.field in COLUMNS:
        found, may_be_missing = COLUMNS[node.field]
        return func.coalesce(test(found), false()) if may_be_missing else test(found)
    return SEVERAL[node.field](test)


def _test(op: Op, values: tuple[Value, ...]) -> Test:
    """What must hold for one value of a field."""
    first = values[0]
    if op is Op.CONTAINS:
        part = func.lower(collate(literal(str(first), Text), "C"))
        return lambda found: func.strpos(func.lower(collate(found, "C")), part) > 0
    if isinstance(first, Decimal):
        numbers = literal([v for v in values if isinstance(v, Decimal)], ARRAY(Numeric))
        if op in (Op.EQ, Op.IN):
            return lambda found: cast(found, Numeric) == any_(numbers)
        bound = literal(first, Numeric)
        return lambda found: found.op(op.value, is_comparison=True)(bound)
    texts = literal([str(value) for value in values], ARRAY(Text))
    if len(values) == 1:
        return lambda found: found == literal(str(first), Text)
    return lambda found: found == any_(texts)


def _job(op: Op, values: tuple[Value, ...]) -> ColumnElement[bool]:
    """By the primary key, whose index serves: a few jobs are found among millions."""
    found, numbers = Job.__table__.c.id, [v for v in values if isinstance(v, Decimal)]
    if op in (Op.EQ, Op.IN):
        whole = [int(number) for number in numbers if number == int(number)]
        return found == any_(literal(whole, ARRAY(BigInteger)))
    return found.op(op.value, is_comparison=True)(literal(numbers[0], Numeric))


def _age(op: Op, span: Value) -> ColumnElement[bool]:
    """Older than a span is: came in before now less the span."""
    assert isinstance(span, dt.timedelta)
    then = func.now() - literal(span, Interval)
    turned = {Op.LT: ">", Op.LE: ">=", Op.GT: "<", Op.GE: "<="}[op]
    return Job.__table__.c.created_at.op(turned, is_comparison=True)(then)


def _metadata(node: Comparison) -> ColumnElement[Any]:
    """The value as text, or as a number where it is to be ordered and looks like one."""
    found = func.jsonb_extract_path_text(Message.attributes, literal(node.key or "", Text))
    if not isinstance(node.values[0], Decimal):
        return found
    return case((found.op("~")(LOOKS_LIKE_A_NUMBER), cast(found, Numeric)))
