"""A small, safe language that chooses jobs: `state = review or confidence < 0.6`.

A filter is a value: text goes in, a frozen tree comes out, and `worker.store.filter_sql` turns the
tree into an expression with bound parameters. No text of the user's ever becomes SQL.

Logic has two values. A comparison with something that a job does not have (no confidence, no
channel) is false; `!=` is the opposite of `=`, so it holds there. Fields that may have several
values (`reason`, `finding`, `prompt`, `policy`, `run`) compare as *any of them*.
"""

import datetime as dt
import difflib
import re
from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum

from models.vocabulary import JobState
from worker.domain.filter_tokens import FilterError, Token
from worker.domain.spans import MOST, show_span, span_of

__all__ = ["FIELDS", "And", "Comparison", "Field", "FilterError", "Node", "Not", "Op", "Or", "show"]

METADATA, KNOWLEDGE, CHANGED = "metadata", "knowledge", "changed"
KEYWORDS = ("and", "or", "not", "in", "contains")
_PLAIN = re.compile(r"[^\s!=<>(),'\"&|;]+")
_NUMBER = re.compile(r"-?[0-9]{1,12}(\.[0-9]{1,10})?")


class Op(StrEnum):
    """How a field is compared."""

    EQ = "="
    NE = "!="
    LT = "<"
    LE = "<="
    GT = ">"
    GE = ">="
    IN = "in"
    CONTAINS = "contains"


Value = str | Decimal | dt.timedelta


class Of(StrEnum):
    """What a field's values are."""

    TEXT = "text"
    NUMBER = "number"
    SPAN = "span"
    ANYTHING = "anything"


ORDER = (Op.LT, Op.LE, Op.GT, Op.GE)
OPS = {
    Of.TEXT: (Op.EQ, Op.NE, Op.IN, Op.CONTAINS),
    Of.NUMBER: (Op.EQ, Op.NE, *ORDER, Op.IN),
    Of.SPAN: ORDER,
    Of.ANYTHING: tuple(Op),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Field:
    """A thing that jobs are chosen by. `words`: the only values there are, where they are few;
    `most`: the largest number that makes sense."""

    of: Of
    meaning: str
    words: tuple[str, ...] = ()
    most: Decimal | None = None


_TEXT, _NUMBER_OF = Of.TEXT, Of.NUMBER
FIELDS: dict[str, Field] = {
    "state": Field(of=_TEXT, meaning="Where the job stands.", words=tuple(JobState)),
    "reason": Field(
        of=_TEXT, meaning="Why it ended so, why it climbed, what an attempt was rejected for."
    ),
    "tier": Field(of=_TEXT, meaning="The tier of the answer; of the job where there is none."),
    "confidence": Field(of=_NUMBER_OF, meaning="Of the answer, 0 to 1.", most=Decimal(1)),
    "finding": Field(of=_TEXT, meaning="A validator that found something in any attempt."),
    "prompt": Field(of=_TEXT, meaning="Version of a prompt that any attempt used."),
    "policy": Field(of=_TEXT, meaning="Name or version of the run's policy."),
    "model": Field(of=_TEXT, meaning="The model that answered."),
    "run": Field(of=_TEXT, meaning="Name or number of the run."),
    "job": Field(of=_NUMBER_OF, meaning="Number of the job."),
    "age": Field(of=Of.SPAN, meaning="Time since the job came in: `7d`, `36h`, `90m`."),
    "channel": Field(of=_TEXT, meaning="The message's channel."),
    "customer": Field(of=_TEXT, meaning="Who wrote the message: its `customer_id`."),
    "language": Field(of=_TEXT, meaning="The message's language."),
    "subject": Field(of=_TEXT, meaning="The message's subject; for those who may read text."),
    "source": Field(of=_TEXT, meaning="Where the message is from."),
    "external_id": Field(of=_TEXT, meaning="The message's id in its source."),
    "difficulty": Field(
        of=_TEXT,
        meaning="What classification or a rule said.",
        words=("SIMPLE", "MODERATE", "COMPLEX"),
    ),
    "escalations": Field(of=_NUMBER_OF, meaning="Steps up the ladder."),
    "climbed": Field(of=_TEXT, meaning="A tier that the job climbed from."),
    "attempts": Field(of=_NUMBER_OF, meaning="Attempts that were closed other than by deferral."),
    "cost": Field(of=_NUMBER_OF, meaning="Dollars that the job has cost."),
    KNOWLEDGE: Field(
        of=_TEXT,
        meaning="`changed`: the answer cites a page that reads otherwise now.",
        words=(CHANGED,),
    ),
    METADATA: Field(of=Of.ANYTHING, meaning="`metadata.KEY`: what else came with the message."),
}

OF_TEXT = ("subject", METADATA)
"""Fields that hold what customers wrote: who may not read it may not choose by it either."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Comparison:
    """One field against one value, or against several (`in`). `key` is metadata's."""

    field: str
    op: Op
    values: tuple[Value, ...]
    key: str | None = None


@dataclass(frozen=True, slots=True)
class Not:
    """The opposite."""

    part: "Node"


@dataclass(frozen=True, slots=True)
class And:
    """All of two or more."""

    parts: tuple["Node", ...]


@dataclass(frozen=True, slots=True)
class Or:
    """Any of two or more."""

    parts: tuple["Node", ...]


Node = Comparison | Not | And | Or


def reads_text(node: Node) -> bool:
    """Whether the choice depends on what customers wrote."""
    match node:
        case Comparison():
            return node.field in OF_TEXT
        case Not(part):
            return reads_text(part)
        case And(parts) | Or(parts):
            return any(map(reads_text, parts))


def show(node: Node) -> str:
    """The filter as text: parsing it gives the same tree again."""
    match node:
        case Comparison():
            return _show_comparison(node)
        case Not(part):
            return f"not {_grouped(part)}"
        case And(parts):
            return " and ".join(_grouped(part) for part in parts)
        case Or(parts):
            return " or ".join(
                show(part) if isinstance(part, And) else _grouped(part) for part in parts
            )


def _grouped(node: Node) -> str:
    return f"({show(node)})" if isinstance(node, And | Or) else show(node)


def _show_comparison(node: Comparison) -> str:
    name = node.field if node.key is None else f"{node.field}.{_show_text(node.key)}"
    values = ", ".join(_show_value(value) for value in node.values)
    return f"{name} {node.op} ({values})" if node.op is Op.IN else f"{name} {node.op} {values}"


def _show_value(value: Value) -> str:
    match value:
        case str():
            return _show_text(value)
        case Decimal():
            return f"{value:f}"
        case dt.timedelta():
            return show_span(value)


def _show_text(value: str) -> str:
    if _PLAIN.fullmatch(value) and value.lower() not in KEYWORDS:
        return value
    return "'" + value.replace("'", "''") + "'"


def value_of(name: str, field: Field, op: Op, token: Token, text: str) -> Value:
    """What a word means for this field. Raises FilterError."""
    ordered_metadata = field.of is Of.ANYTHING and op in ORDER
    if field.of is Of.NUMBER or ordered_metadata:
        return _number(name, field, token, text)
    if field.of is Of.SPAN:
        return _span(name, token, text)
    if not field.words:
        return token.text
    for word in field.words:
        if token.text.lower() == word.lower():
            return str(word)
    if op is Op.CONTAINS:
        return token.text
    hint = close_to(token.text, field.words) or f"; there are {', '.join(field.words)}."
    raise FilterError(f"{token.text!r} is no {name}{hint}", text, token.start, token.end)


def _number(name: str, field: Field, token: Token, text: str) -> Decimal:
    if not _NUMBER.fullmatch(token.text):
        sentence = f"{name} is compared with a number, and {token.text!r} is none."
        raise FilterError(sentence, text, token.start, token.end)
    number = Decimal(token.text)
    if field.most is not None and not 0 <= number <= field.most:
        sentence = f"{name} runs from 0 to {field.most}; {token.text} is outside."
        raise FilterError(sentence, text, token.start, token.end)
    return number


def _span(name: str, token: Token, text: str) -> dt.timedelta:
    span = span_of(token.text)
    if span is None:
        sentence = f"{name} is compared with a span like 7d, 36h or 90m; {token.text!r} is none."
        raise FilterError(sentence, text, token.start, token.end)
    if span > MOST:
        raise FilterError("That is more than a hundred years.", text, token.start, token.end)
    return span


def close_to(name: str, known: tuple[str, ...]) -> str:
    """`; did you mean review?`, or nothing."""
    close = difflib.get_close_matches(name.lower(), [word.lower() for word in known], n=1)
    matching = [word for word in known if close and word.lower() == close[0]]
    return f"; did you mean {matching[0]}?" if matching else ""
