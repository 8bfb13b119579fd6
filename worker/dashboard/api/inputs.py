"""What may be sent, as pydantic models: parameters and bodies. Nothing else is taken."""

from typing import TYPE_CHECKING, Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field
from pydantic_core import PydanticUndefined

from worker.domain.run_names import MAX_NAME, PATTERN
from worker.runs.orders import VERBS

if TYPE_CHECKING:
    Action = str
else:
    Action = Literal[tuple(VERBS)]

ABSENT: Any = Field(default_factory=lambda: None)
"""Left out, and then not there at all: null is something else, and mostly refused."""
Id = Annotated[int, Field(ge=1, le=2**63 - 1)]
Name = Annotated[str, Field(min_length=1, max_length=MAX_NAME)]
Short = Annotated[str, Field(min_length=1, max_length=500)]
Priority = Annotated[int, Field(ge=-100, le=100)]
Money = Annotated[float, Field(ge=0, le=1_000_000, allow_inf_nan=False)]
Where = Annotated[
    str,
    Field(
        min_length=1,
        max_length=2_000,
        description="Jobs that a filter chooses: state = review or confidence < 0.6.",
    ),
]
AskText = Annotated[
    bool, Field(description="Show message and reply text: operators only, and audited.")
]


class StrictInput(BaseModel):
    """A parameter or field that is not named here is refused."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    def given(self) -> dict[str, Any]:
        """What was sent, and what stands for what was not; nothing of what is absent."""
        defaults = {
            name: field.default
            for name, field in type(self).model_fields.items()
            if field.default is not PydanticUndefined
        }
        return defaults | self.model_dump(exclude_unset=True)


class NoQuery(StrictInput):
    """No parameters."""


class PageQuery(StrictInput):
    """Of a list, newest first."""

    before: Id = ABSENT
    limit: Annotated[int, Field(ge=1, le=200)] = 50


class JobsQuery(PageQuery):
    """Of the jobs that meet a filter."""

    run: Name = ABSENT
    where: Where = ABSENT


class AttentionQuery(StrictInput):
    """Of one run, or of all."""

    run: Name = ABSENT
    before: Annotated[Id, Field(description="The job that the last page ended with.")] = ABSENT
    limit: Annotated[int, Field(ge=1, le=1_000)] = 50


class ReceiptQuery(StrictInput):
    """With text, or without."""

    text: AskText = False


class CompareQuery(StrictInput):
    """What it is compared with."""

    beside: Annotated[
        Name,
        Field(description="The other run; without it, the one that `rung compare` made beside it."),
    ] = ABSENT


class ResultsQuery(ReceiptQuery):
    """How the answers come."""

    format: Literal["jsonl", "csv"] = "jsonl"
    only: Annotated[
        Literal["answered", "review", "dead", "ready"],
        Field(description="Of a state, or what may go out: ready."),
    ] = ABSENT
    limit: Annotated[
        int,
        Field(ge=1, le=10_000, description="Rows of a page; the header Link names the next one."),
    ] = ABSENT
    after: Annotated[Id, Field(description="The job that the last page ended with.")] = ABSENT


class NewRunQuery(StrictInput):
    """The run that is made of a backlog."""

    run: Annotated[Name, Field(pattern=PATTERN)] = ABSENT
    source: Annotated[str, Field(min_length=1, max_length=200)] = ABSENT
    policy: Name = ABSENT
    lane: Annotated[
        Literal["realtime", "batch", "mixed"],
        Field(
            description="Left out: batch while a deadline leaves time, or else realtime. mixed:"
            " what is easy at once, what climbs in batches."
        ),
    ] = ABSENT
    budget_usd: Money = ABSENT
    deadline: Annotated[str, Field(description="ISO 8601; UTC where it names no zone.")] = ABSENT
    notify: Annotated[
        str, Field(description="Mail addresses that are told of its end, with commas between them.")
    ] = ABSENT
    priority: Priority = 0
    again: bool = False
    map: Annotated[
        str,
        Field(
            max_length=4_000,
            description='Where our fields stand: {"body": "Message"}; or the name of a map.',
        ),
    ] = ABSENT
    yes: Annotated[
        bool,
        Field(description="Take the columns that were guessed, though they are not certain."),
    ] = False
    dry_run: Annotated[bool, Field(description="Read and check; store nothing.")] = False
    sheet: Short = ABSENT
    member: Annotated[Short, Field(description="Which file of a zip.")] = ABSENT
    records: Short = ABSENT
    delimiter: Short = ABSENT
    encoding: Short = ABSENT
    dates: Annotated[
        Literal["day", "month"], Field(description="Which comes first in 04/11/2026.")
    ] = ABSENT
    strip_quotes: bool = False


class ActionBody(StrictInput):
    """What is to be done, and to what."""

    action: Action
    run: Name = ABSENT
    tier: Annotated[Name, Field(description="A tier, routing, or everything.")] = ABSENT
    where: Where = ABSENT
    preview: Annotated[bool, Field(description="Say what it would do, and do nothing.")] = ABSENT
    count: Annotated[
        Literal["all"],
        Field(
            description="For a preview of what a filter chooses: count all, however many there are."
        ),
    ] = ABSENT
    reason: Short = ABSENT
    priority: Priority = ABSENT
    budget_usd: Money | None = ABSENT
    cause: Annotated[Short, Field(description="For retry: only what died of this.")] = ABSENT
    until: Annotated[
        Short,
        Field(description="Only what died, or came in, until then; the preview says it."),
    ] = ABSENT
    counted: Annotated[
        int,
        Field(
            ge=0,
            le=10**9,
            description="What a preview counted: more than that is refused with 409.",
        ),
    ] = ABSENT


class VerdictBody(StrictInput):
    """What a person thinks of a job's best answer."""

    verdict: Literal["accept", "edit", "reject"]
    reply: Annotated[str, Field(max_length=200_000)] = ABSENT
    reason: Short = ABSENT
    known: Annotated[
        int,
        Field(
            ge=0,
            le=2**63 - 1,
            description="The `known` of the list in which it was seen, 0 for none: a later one of"
            " somebody else is not overruled, but refused with 409.",
        ),
    ] = ABSENT


class NextReviewBody(StrictInput):
    """Which queue, and who asks."""

    run: Name = ABSENT
    cause: Annotated[Short, Field(description="Only what waits for this reason.")] = ABSENT
    skip: Annotated[
        int, Field(ge=1, le=2**63 - 1, description="The job after which to go on, undecided.")
    ] = ABSENT
    reader: Annotated[
        Short,
        Field(description="Who reads, where one token serves several people."),
    ] = ABSENT


class LeaveReviewBody(StrictInput):
    """Who reads nothing any more."""

    reader: Short = ABSENT
