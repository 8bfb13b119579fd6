"""The finished messages of runs, with what is known of them together."""

import datetime as dt
from dataclasses import dataclass, field

from worker.domain.proof.graded import GradedMessage


@dataclass(frozen=True, slots=True, kw_only=True)
class AnswerKey:
    """What an answer was given under: a certificate holds for no other."""

    model: str
    prompt_version: str
    schema_version: str
    effort: str
    policy_version: str
    knowledge_version: str = ""
    """Of the folders of pages that were searched for it; those in the prompt are in its version."""


@dataclass(slots=True, kw_only=True)
class Population:
    """The finished messages of runs. `sampled` are those that chance chose; `keys` are, by tier,
    what accepted answers were given under; `verdicts` counts those in force by who gave them. Two
    people judged `twice` of the answers, and `differing` of those differently."""

    messages: list[GradedMessage] = field(default_factory=list)
    sampled: list[GradedMessage] = field(default_factory=list)
    keys: dict[str, set[AnswerKey]] = field(default_factory=dict)
    verdicts: dict[str, int] = field(default_factory=dict)
    labels: list[str] = field(default_factory=list)
    """Every verdict in force as text, to know whether anything is new."""
    simulated: bool = False
    of: int = 0
    """Jobs of the runs that have ended with an answer or with a person, read or not."""
    part: float = 1.0
    """The share that the draw chose to be read."""
    twice: int = 0
    differing: int = 0
    drawn: int = 0
    ungraded: int = 0
    begun: dt.datetime | None = None
    ended: dt.datetime | None = None
