"""The tables of `rung.toml`: every setting, its unit, its default and its bounds."""

import datetime as dt
import itertools
from decimal import Decimal
from pathlib import Path
from typing import Annotated, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

Dollars = Annotated[Decimal, Field(ge=0)]
Positive = Annotated[int, Field(gt=0)]
Seconds = Annotated[float, Field(gt=0)]


class Section(BaseModel):
    """A table of `rung.toml`: frozen, and an unknown key in it is an error."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class TierSettings(Section):
    """One rung. Limits are a minute's, as Claude counts them; leave one out for no limit."""

    model: str
    rpm: Positive | None = None
    itpm: Positive | None = None
    otpm: Positive | None = None
    max_in_flight: Positive = 64
    """Calls in flight in each worker process."""
    max_tokens: Annotated[int, Field(ge=64, le=21_000)] = 2_048
    """For an answer, thinking included; above 21,333 the SDK insists on streaming."""
    effort: Literal["low", "medium", "high"] | None = None
    """None leaves the model's own default."""


class PolicySettings(Section):
    """Which policy a run uses when none is named, and what holds for all of them."""

    preset: str = "ladder"
    max_cost_per_message: Dollars = Decimal("0.50")
    """A job asks for nothing that could take it past this; 0 is no bound."""


class RoutingSettings(Section):
    """The classification call."""

    tier: str | None = None
    """Whose model classifies; the cheapest when not given."""
    max_tokens: Annotated[int, Field(ge=16, le=4_096)] = 512
    effort: Literal["low", "medium", "high"] | None = "low"


class CheckSettings(Section):
    """The separate confidence call; it goes to the tier that answered."""

    max_tokens: Annotated[int, Field(ge=16, le=4_096)] = 1_024
    effort: Literal["low", "medium", "high"] | None = "low"


class BudgetSettings(Section):
    """Dollars. Left out means no limit."""

    per_run_usd: Dollars | None = None
    per_day_usd: Dollars | None = None


class AuditSettings(Section):
    """Random looks at accepted answers, which certificates rest on."""

    share: Annotated[Decimal, Field(ge=0, le=1)] = Decimal("0.01")
    """Of the accepted answers of a new run, chosen by chance as they are recorded."""
    budget_usd: Dollars | None = None
    """What one `rung audit --by TIER` may cost; left out means `budget.per_run_usd`."""
    passes: Annotated[Decimal, Field(gt=0, le=1)] = Decimal("0.1")
    """Of what a tier finds right, chosen by chance for people to look at all the same."""
    shadow: Annotated[Decimal, Field(ge=0, le=1)] = Decimal(0)
    """Of the messages of a new run, chosen by chance as they are recorded: when it has finished,
    every tier that was not needed is asked about them, in batches."""
    shadow_budget_usd: Dollars | None = None
    """What each tier's shadows of a run may cost; left out means `budget_usd`."""


class PromptSettings(Section):
    """Where the prompts are: `answer.md`, `classify.md`, `check.md`, `knowledge/*.md`."""

    dir: Path | None = None
    """None means the example company's prompts that come with Rung."""


class PriceSettings(Section):
    """Dollars per million tokens, for a model that genai-prices does not know or has wrong."""

    input: Dollars
    output: Dollars
    cache_read: Dollars | None = None
    cache_write_5m: Dollars | None = None
    cache_write_1h: Dollars | None = None


class TimingSettings(Section):
    """Seconds. The chain must hold: connect < call < lease < stop < visibility."""

    connect_s: Seconds = 5
    call_deadline_s: Seconds = 120
    lease_s: Seconds = 180
    stop_timeout_s: Seconds = 200
    visibility_timeout_s: Seconds = 900
    redispatch_s: Seconds = 60
    """A dispatched job that nobody claimed for this long is dispatched again."""
    housekeeping_s: Seconds = 1
    rescue_s: Seconds = 15
    schedule_s: Seconds = 30
    """How often Celery beat has the schedules looked at."""
    watchdog_s: Seconds = 120
    """A worker that consumes nothing for this long while jobs wait for it ends itself."""

    @model_validator(mode="after")
    def chain(self) -> Self:
        """Each step must outlive the one before, or a live call could lose its lease."""
        names = (
            "connect_s",
            "call_deadline_s",
            "lease_s",
            "stop_timeout_s",
            "visibility_timeout_s",
        )
        for shorter, longer in itertools.pairwise(names):
            if not getattr(self, shorter) < getattr(self, longer):
                raise ValueError(
                    f"timing.{shorter} ({getattr(self, shorter):g}) must be less than"
                    f" timing.{longer} ({getattr(self, longer):g})"
                )
        if not self.redispatch_s < self.watchdog_s:
            # What Redis lost looks like work that waits, until it is dispatched again.
            raise ValueError(
                f"timing.redispatch_s ({self.redispatch_s:g}) must be less than"
                f" timing.watchdog_s ({self.watchdog_s:g})"
            )
        return self


class ClaudeSettings(Section):
    """Where Claude is asked. Model ids are the door's own (`tiers.*.model`)."""

    via: Literal["api", "bedrock", "vertex"] = "api"
    """`api`: Anthropic, or the gateway at `ANTHROPIC_BASE_URL`. `bedrock` and `vertex` sign in as
    the clouds' own tools do, and have no batches."""
    region: str | None = None
    """Of Bedrock (else `AWS_REGION`) or Vertex."""
    project: str | None = None
    """Of Vertex."""


class DatabaseSettings(Section):
    """Connections to Postgres."""

    connections: Annotated[int, Field(ge=3, le=200)] = 7
    """What each worker process opens at most. One holds the batches' lock, one keeps house; the
    others are shared by claiming and recording, a moment each."""


class WorkerSettings(Section):
    """A worker process."""

    chunk: Annotated[int, Field(ge=1, le=500)] = 32
    """Job ids in one Celery task."""
    threads: Annotated[int, Field(ge=1, le=256)] | None = None
    """Celery's thread pool; None sizes it so that no tier can keep another's chunks waiting."""
    max_age: dt.timedelta = dt.timedelta(days=7)
    """A job still open this long after intake, in a run without a deadline, becomes dead."""
    lean_calls: bool = True
    """Calls are sent in the SDK's words by our own HTTP client. Off, the SDK sends each of them
    itself, for six times the CPU."""


class BatchSettings(Section):
    """The batch lane. Against the simulator, whose batches take seconds, no wait is longer than one
    second."""

    slice: Annotated[int, Field(ge=1, le=100_000)] = 2_500
    """Requests in one Message Batch. Small slices let the answers of one climb while the next still
    runs, and let progress be seen; very many wait for more stragglers."""
    gather_s: Annotated[float, Field(ge=0)] = 60
    """A slice that is not full goes when its oldest job has waited this long."""
    poll_s: Seconds = 30
    """How often batches are looked at."""
    adopt_after_s: Seconds = 180
    """A create whose reply was lost is looked for this long before it is sent again. Longer than
    the two minutes that such a request may be under way."""
    turnaround_s: Seconds = 3_600
    """What a batch is expected to take, until this installation's own batches tell."""
    margin_s: Seconds = 900
    """A run with a deadline leaves the batch lane so long before the realtime lane would be late:
    time for cancelling, and for stragglers."""


class BreakerSettings(Section):
    """When a tier whose calls fail is left alone for a while. A 429 never counts."""

    in_row: Positive = 10
    """So many failed calls in a row open it."""
    at_least: Positive = 20
    """Calls that must have ended within `window_s` before `share` counts."""
    share: Annotated[float, Field(gt=0, le=1)] = 0.5
    """Share of failed calls within `window_s` that opens it."""
    window_s: Seconds = 30
    open_s: Seconds = 10
    """It stays open this long; twice as long after each probe that fails."""
    max_open_s: Seconds = 120
    probes: Positive = 3
    """Calls that must go well, one at a time, before it closes."""


class CanarySettings(Section):
    """The first calls of a new prompt, schema or model at a tier go one by one, until five of them
    were good; when five fail, the tier is paused."""

    enabled: bool = True
