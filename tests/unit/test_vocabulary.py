"""Words that are listed once, and the places that cannot take them from there."""

import re
from pathlib import Path

import pytest

from models.vocabulary import JUDGED, AttemptOutcome

ROOT = Path(__file__).parents[2]
UNJUDGED = {"started", "routed", "deferred", "failed", "lost", "superseded"}


def test_whatever_is_not_listed_as_unjudged_is_a_judgement() -> None:
    assert {*JUDGED} == {*AttemptOutcome} - UNJUDGED


@pytest.mark.parametrize(
    "name", ["deploy/prometheus/rules.yaml", "deploy/grafana/dashboards/rung.json"]
)
def test_alerts_and_dashboards_count_every_judgement(name: str) -> None:
    lists = re.findall(r'outcome=~\\?"([a-z|]*accepted[a-z|]*)\\?"', (ROOT / name).read_text())
    assert lists
    assert {frozenset(found.split("|")) for found in lists} == {frozenset(JUDGED)}
