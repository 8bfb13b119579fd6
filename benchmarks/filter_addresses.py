"""Each field of the filter language on each page that takes a filter: one that jobs meet, and one
that none does, of a record that `benchmarks.filled` made."""

from collections.abc import Sequence
from urllib.parse import urlencode

from benchmarks.filled import AT_WORK, ENDED_RUNS, PAUSED

FILTERS = {
    "state": ("state = queued", "state = submitted"),
    "reason": ("reason = low_confidence", "reason contains nonesuch"),
    "tier": ("tier = opus", "tier = nonesuch"),
    "confidence": ("confidence < 0.6", "confidence < 0.1"),
    "finding": ("not finding = grounded", "finding = grounded"),
    "prompt": ("prompt = p1", "prompt = nonesuch"),
    "policy": ("policy = ladder", "policy = nonesuch"),
    "model": ("model contains haiku", "model contains nonesuch"),
    "run": ("run = run3", "run contains nonesuch"),
    "job": ("job > 5", "job = 999999999"),
    "age": ("age > 1h", "age > 999d"),
    "channel": ("channel = chat", "channel = fax"),
    "customer": ("customer = c7", "customer = nonesuch"),
    "language": ("language = en", "language = xx"),
    "subject": ("not subject contains card", "subject contains card"),
    "source": ("source = day", "source = nonesuch"),
    "external_id": ("external_id = m7", "external_id contains nonesuch"),
    "difficulty": ("difficulty = SIMPLE", "difficulty = COMPLEX"),
    "escalations": ("escalations > 0", "escalations > 90"),
    "climbed": ("climbed = sonnet", "climbed = nonesuch"),
    "attempts": ("attempts = 2", "attempts > 90"),
    "cost": ("cost > 0", "cost > 90"),
    "knowledge": ("not knowledge = changed", "knowledge = changed"),
    "metadata": ("not metadata.vip = yes", "metadata.vip = yes"),
}
"""For each field a test that jobs meet, and one that none does."""


def filters_of() -> dict[str, Sequence[str]]:
    """Addresses by page and filter."""
    found: dict[str, Sequence[str]] = {}
    for field, both in FILTERS.items():
        for where, met in zip(both, ("met", "by none"), strict=True):
            for page, of in _pages(where).items():
                found[f"{page} by {field}, {met}"] = of
    return found


def _pages(where: str) -> dict[str, Sequence[str]]:
    said = urlencode({"where": where})
    return {
        "/jobs": [f"/jobs?{said}"],
        "/jobs of a run": [f"/jobs?run=run{run}&{said}" for run in ENDED_RUNS],
        "/jobs of the oldest run": [f"/jobs?run=run{PAUSED}&{said}"],
        "/jobs sorted": [f"/jobs?sort=cost&{said}"],
        "/api/jobs": [f"/api/jobs?{said}"],
        "/actions/cancel": [f"/actions/cancel?{said}"],
        "/actions/cancel of a run": [f"/actions/cancel?run=run{AT_WORK}&{said}"],
        "/actions/retry": [f"/actions/retry?{said}"],
        "/actions/priority": [f"/actions/priority?to=5&{said}"],
        "/actions/budget": [f"/actions/budget?to=2000&{said}"],
    }
