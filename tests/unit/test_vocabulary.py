"""Words that are listed once, and the places that cannot take them from there."""

import re
from pathlib import Path

import pytest

from models.vocabulary import JUDGED, AttemptOutcome

ROOT = Path(__file__).parents[2]
UNJUDGED = frozenset({"started", "routed", "deferred", "failed", "lost", "superseded", "withheld"})


def test_whatever_is_not_listed_as_unjudged_is_a_judgement() -> None:
    assert {*JUDGED} == {*AttemptOutcome} - UNJUDGED


@pytest.mark.parametrize(
    ("name", "lists"),
    [("deploy/prometheus/rules.yaml", 3), ("deploy/grafana/dashboards/rung.json", 1)],
)
def test_alerts_and_dashboards_name_what_is_no_judgement(name: str, lists: int) -> None:
    """So that they count a new one without being changed. Open attempts are not counted, and
    routed ones are left out by their queue."""
    found = re.findall(r'outcome!~\\?"([a-z|]+)\\?"', (ROOT / name).read_text())
    assert len(found) == lists
    assert {frozenset(one.split("|")) for one in found} == {UNJUDGED - {"started", "routed"}}
