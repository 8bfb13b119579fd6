"""Each alert fires on what it is for, and on nothing that only comes near."""

from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.support.promql.parsing import seconds
from tests.support.promql.rules import alerts, firing, load
from tests.support.promql.series import read

ROOT = Path(__file__).parents[3]
RULES = load(ROOT / "deploy/prometheus/rules.yaml")
# Everything as text: 0x20 is twenty-one zeros here, and no number.
FIXTURES: dict[str, dict[str, Any]] = yaml.load(
    (Path(__file__).parent / "fixtures.yaml").read_text("utf-8"), yaml.BaseLoader
)
CASES = [(name, what, case) for name, cases in FIXTURES.items() for what, case in cases.items()]
SEVERITIES = {"page", "ticket"}


@pytest.mark.parametrize(("name", "what", "case"), CASES, ids=[f"{n}: {w}" for n, w, _ in CASES])
def test_it_fires_when_it_should(name: str, what: str, case: dict[str, Any]) -> None:
    # given
    series = read(case["series"], seconds(case.get("each", "1m")))
    # when
    found = firing(RULES, name, series, seconds(case["at"]))
    # then
    told = [{k: v for k, v in alert.labels.items() if k != "severity"} for alert in found]
    assert sorted(told, key=str) == sorted(case["fires"], key=str)


def test_every_alert_has_series_that_fire_it_and_series_that_do_not() -> None:
    # given
    fires = {name for name, _, case in CASES if case["fires"]}
    quiet = {name for name, _, case in CASES if not case["fires"]}
    # then
    assert fires == quiet == {rule.name for rule in alerts(RULES)}


def test_no_alert_has_the_name_of_another() -> None:
    names = [rule.name for rule in RULES]
    assert sorted(names) == sorted(set(names))


def test_every_alert_says_whom_it_wakes_what_happens_and_where_to_read_on() -> None:
    # given
    wrong = {
        rule.name: rule
        for rule in alerts(RULES)
        if rule.labels.get("severity") not in SEVERITIES
        or not rule.annotations.get("summary", "").endswith(".")
        or not rule.annotations.get("description", "").endswith(".")
        or rule.annotations.get("runbook_url") != f"docs/operations.md#{rule.name.lower()}"
    }
    # then
    assert wrong == {}
