"""A stored certificate in the sentences of a page that a person can sign."""

import datetime as dt
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from worker.domain.proof.exact_tails import upper_bound
from worker.domain.wording import percent, plural

VOIDS = (
    "It is void when model, prompt, schema, effort, policy or pages change, and when audits speak"
    " against it: at the first doubt the stricter threshold holds, at proof it ends."
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Issued:
    """A certificate as it stands. `audits` and `wrong` are since it is in force."""

    id: int
    claim: str
    tier: str
    top: str
    alpha: float
    delta: float
    errors: int
    labels: int
    upper: float
    coverage: float
    threshold: Decimal
    fallback: Decimal | None
    scorer: dict[str, Any] | None
    segment_by: str
    segments: list[dict[str, Any]]
    key: dict[str, str]
    runs: list[str]
    sources: dict[str, Any]
    rehearsal: bool
    state: str
    voided_by: str | None
    issued_by: str
    issued_at: dt.datetime
    changed_at: dt.datetime
    audits: int
    wrong: int


def page_sentences(page: Issued) -> Iterator[str]:
    """Claim, evidence, scope, what voids it, how it stands."""
    if page.rehearsal:
        yield "REHEARSAL. A simulator made these answers up: this page proves nothing."
    yield _claim(page)
    yield (
        f"{plural(page.errors, 'error')} in {plural(page.labels, 'label')}: at most"
        f" {percent(page.upper, 2)}, and this is said falsely in at most {percent(page.delta, 2)}"
        " of the cases (exact binomial bound)."
    )
    by = "a fitted score" if page.scorer is not None else "the stated confidence"
    yield (
        f"It covers answers with {by} of {page.threshold} or more, {percent(page.coverage, 1)} of"
        f" the messages of {_listed(page.runs)}."
    )
    verdicts: Mapping[str, int] = page.sources.get("verdicts", {})
    yield "Judged by: " + _listed([f"{who} ({n})" for who, n in verdicts.items()]) + "."
    if twice := page.sources.get("twice"):
        differing = page.sources["differing"]
        most = upper_bound(differing, twice, page.delta)
        yield (
            f"Two people judged {twice:,} of them and differed on {differing},"
            f" {percent(differing / twice, 1)}, at most {percent(most, 1)}: so much is the noise of"
            " the judges themselves. Where they differ, the answer counts as wrong."
        )
    key = page.key
    yield (
        f"It holds for model {key.get('model')}, prompt {key.get('prompt_version')}, schema"
        f" {key.get('schema_version')}, effort {key.get('effort') or 'default'}, policy rules"
        f" {key.get('policy_version')}{_pages(key)}, and messages like those."
    )
    yield "It says nothing of any single segment but those listed with a bound of their own."
    yield VOIDS
    yield f"Since then {page.wrong} of {page.audits} audited answers were wrong. {_state(page)}"
    yield f"Issued by {page.issued_by} on {page.issued_at:%Y-%m-%d %H:%M} UTC."


def _claim(page: Issued) -> str:
    if page.claim == "parity":
        return (
            f"At most {percent(page.alpha, 1)} of all messages are answered worse at {page.tier}"
            f" than {page.top} would have answered them."
        )
    return (
        f"At least {percent(1 - page.alpha, 1)} of the answers accepted at {page.tier} are right."
    )


def _pages(key: Mapping[str, str]) -> str:
    """Which folders of pages were searched, where any were."""
    version = key.get("knowledge_version")
    return f", pages {version}" if version else ""


def _state(page: Issued) -> str:
    match page.state:
        case "amber":
            return "AMBER: audits raise doubt, and the stricter threshold holds."
        case "void":
            return f"VOID: {page.voided_by}."
    return "It stands."


def _listed(names: Sequence[str]) -> str:
    return " and ".join(names) or "nobody"
