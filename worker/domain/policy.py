"""A policy is data: where to start × what to accept × where to climb.

It is written in `rung.toml`, checked once, frozen into the run as JSON, and known by the hash of
that JSON. Two runs with the same `policy_version` were decided by the same rules.
"""

from collections.abc import Mapping
from dataclasses import field
from decimal import Decimal
from typing import Annotated, Any, Literal

from pydantic import ConfigDict, Field
from pydantic.dataclasses import dataclass

from worker.domain.in_force import InForce
from worker.domain.ladder import Ladder

STRICT = ConfigDict(extra="forbid", arbitrary_types_allowed=False)

Difficulty = Literal["SIMPLE", "MODERATE", "COMPLEX"]
DIFFICULTIES: tuple[Difficulty, ...] = ("SIMPLE", "MODERATE", "COMPLEX")
CLASSIFY = "classify"
HISTORY = "history"
Threshold = Annotated[Decimal, Field(gt=0, le=1)]
ConfidenceMode = Literal["off", "inline", "separate"]
Severity = Literal["reject", "warn"]

NEXT, TOP, AGAIN, TO_PERSON = "next", "top", "again", "person"
STEPS = (NEXT, TOP, AGAIN, TO_PERSON)
"""Where to climb: the next rung, straight to the top, once more here, or to a person."""


@dataclass(frozen=True, config=STRICT, kw_only=True)
class Rule:
    """Decides without a call. Every condition given must hold; an empty rule holds for all.

    `tier` says where to start; a rule without one only marks the message as `critical`.
    `keywords` match whole words in any case; `pattern` is a regular expression, searched within
    a time bound. Channels, languages (`en` is also `en-GB`) and metadata are compared in any case.
    Lengths are in characters of subject and body together.
    """

    name: str
    tier: str | None = None
    critical: bool = False
    keywords: tuple[str, ...] = ()
    pattern: str | None = None
    channels: tuple[str, ...] = ()
    languages: tuple[str, ...] = ()
    customers: tuple[str, ...] = ()
    metadata: Mapping[str, str | bool | int | float] = field(default_factory=dict)
    min_chars: int | None = None
    max_chars: int | None = None


@dataclass(frozen=True, config=STRICT, kw_only=True)
class Start:
    """Rules in order, then `otherwise`: `classify`, or the name of a tier."""

    otherwise: str = CLASSIFY
    rules: tuple[Rule, ...] = ()
    labels: Mapping[Difficulty, str] = field(default_factory=dict)
    unknown_label: str | None = None
    classify_batch: Annotated[int, Field(ge=1, le=20)] = 1
    """Messages that one routing call may label together; 1 asks for each alone."""


@dataclass(frozen=True, config=STRICT)
class ValidatorUse:
    """A validator by name, how severe its finding is, and its options."""

    name: str
    severity: Severity = "reject"
    options: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, config=STRICT, kw_only=True)
class Accept:
    """What an answer must pass. `threshold` holds for every tier without one of its own."""

    validators: tuple[ValidatorUse, ...] = ()
    confidence: ConfidenceMode = "inline"
    threshold: Threshold = Decimal("0.7")
    thresholds: Mapping[str, Threshold] = field(default_factory=dict)
    answer_schema: Mapping[str, Any] | None = None
    """The user's own JSON schema for the answer; it must have a string property `reply`."""
    certificate: int | None = None
    """Number of the certificate that is in force: an answer must reach its threshold too."""
    in_force: InForce | None = None
    """The certificate as a run froze it. Never written by hand."""

    def certified_at(self, tier: str) -> InForce | None:
        """The certificate that holds for answers of `tier`."""
        held = self.in_force
        return held if held is not None and held.tier == tier else None

    def threshold_at(self, tier: str) -> Decimal:
        """Confidence that an answer of `tier` needs, above 0 up to 1."""
        return self.thresholds.get(tier, self.threshold)


@dataclass(frozen=True, config=STRICT, kw_only=True)
class Climb:
    """Where a reason leads. A reason is looked up as it is (`refused:bio`, `schema`), then by its
    family (`refused`), then as `otherwise`. `again` asks the same tier once more, at most once
    for a reason, and then follows `otherwise`."""

    otherwise: str = NEXT
    by_reason: Mapping[str, str] = field(default_factory=dict)
    critical_low_confidence: str | None = None
    max_attempts: Annotated[int, Field(ge=1, le=20)] = 6
    """Answer attempts that were paid for, after which a person takes over."""


@dataclass(frozen=True, config=STRICT, kw_only=True)
class ContextUse:
    """What the model is shown beside the message: columns, the thread so far, look-ups."""

    fields: tuple[str, ...] = ()
    """Columns of the row; what a row has no value in is left out."""
    history: bool | str = False
    """Whether the thread so far is shown: the row's column with the turns, or `true` for the one
    called `history`."""
    lookups: tuple[str, ...] = ()
    """Look-ups that are asked about each message; see [`lookups.NAME`](#lookupsname)."""
    pages: Literal["auto", "whole", "searched"] = "auto"
    """How the folders of `knowledge` are shown: `whole` in the prompt, or `searched` for each
    message; `auto` takes what costs less."""

    retriever: str | None = None
    """Finds passages beside those that are found by words; one of [`retrievers`](#retrievers) or of
    [`embedders`](#embedders)."""

    @property
    def thread_column(self) -> str | None:
        """The column with the thread; None where it is not shown."""
        return HISTORY if self.history is True else self.history or None


@dataclass(frozen=True, config=STRICT, kw_only=True)
class Policy:
    """How one run decides. `ladder` lists the tiers it may use, cheapest first."""

    name: str
    ladder: tuple[str, ...]
    start: Start = field(default_factory=Start)
    accept: Accept = field(default_factory=Accept)
    climb: Climb = field(default_factory=Climb)
    context: ContextUse = field(default_factory=ContextUse)
    knowledge: tuple[str, ...] = ()
    """Folders of pages that its answers stand on, as `rung knowledge sync` reads them."""
    prompts: str | None = None
    """Folder of prompts of its own; a run keeps them as they were when it began."""

    @property
    def rungs(self) -> Ladder:
        """The ladder as something that can be climbed."""
        return Ladder(self.ladder)

    def tier_for(self, difficulty: Difficulty | None) -> str:
        """Where a message of this difficulty starts; None is a label nobody could read."""
        rungs = self.rungs
        if difficulty is None:
            return self.start.unknown_label or rungs.middle
        defaults = dict(zip(DIFFICULTIES, (rungs.bottom, rungs.middle, rungs.top), strict=True))
        return self.start.labels.get(difficulty) or defaults[difficulty]


NOTHING_SHOWN = ContextUse()


def complaints(policy: Policy) -> list[str]:
    """What is wrong with a policy, each as a sentence; empty when it can be used."""
    try:
        rungs = policy.rungs
    except ValueError as error:
        return [f"policy {policy.name!r}: {error}."]
    tiers = ", ".join(rungs.names)
    found: list[str] = []

    def tier(where: str, name: str | None, *also: str) -> None:
        if name is not None and name not in rungs.names and name not in also:
            allowed = ", ".join(also) + " or one of " if also else "one of "
            found.append(
                f"policy {policy.name!r}: {where} is {name!r}; it must be {allowed}{tiers}."
            )

    tier("start.otherwise", policy.start.otherwise, CLASSIFY)
    tier("start.unknown_label", policy.start.unknown_label)
    for difficulty, name in policy.start.labels.items():
        tier(f"start.labels.{difficulty}", name)
    names = [rule.name for rule in policy.start.rules]
    for name in dict.fromkeys(name for name in names if names.count(name) > 1):
        found.append(
            f"policy {policy.name!r}: two rules are called {name!r}; a receipt could not tell them"
            " apart."
        )
    for rule in policy.start.rules:
        tier(f"the tier of rule {rule.name!r}", rule.tier)
        if rule.tier is None and not rule.critical:
            found.append(
                f"policy {policy.name!r}: rule {rule.name!r} decides nothing;"
                " give it a tier, or critical = true."
            )
        elif rule.tier is None and policy.climb.critical_low_confidence is None:
            found.append(
                f"policy {policy.name!r}: rule {rule.name!r} marks messages as critical, and"
                ' nothing follows from it; set climb.critical_low_confidence, to "top" for example.'
            )
    for name in policy.accept.thresholds:
        tier("a tier of accept.thresholds", name)
    tier("climb.otherwise", policy.climb.otherwise, *STEPS)
    tier("climb.critical_low_confidence", policy.climb.critical_low_confidence, *STEPS)
    for reason, step in policy.climb.by_reason.items():
        tier(f"climb.by_reason.{reason}", step, *STEPS)
    return found
