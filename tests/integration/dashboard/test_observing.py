"""Rules and dashboards ask for nothing that a real scrape does not have."""

from collections.abc import Iterator
from enum import StrEnum

import pytest
from sqlalchemy import Engine

from models import vocabulary as words
from tests.support.grafana import asked
from tests.support.metrics import Seen, scraped
from tests.support.places import ROOT
from tests.support.promises import do
from tests.support.promql.evaluating import vector
from tests.support.promql.functions import NAME, without
from tests.support.promql.parsing import Aggregate, Binary, Expression, Select, parse, parts
from tests.support.promql.rules import load
from tests.support.promql.series import Sample, Series
from tests.support.web import dashboard
from tests.support.works import settings_for
from worker.config.settings import default_tiers
from worker.dashboard.metrics.families import METRICS
from worker.sandbox.simulator.state import State

RULES = load(ROOT / "deploy/prometheus/rules.yaml")
ASKED: dict[str, Expression] = {rule.name: rule.expression for rule in RULES} | {
    f"{panel}: {expression}": parse(expression)
    for panel, expression in asked(ROOT / "deploy/grafana/dashboards/rung.json")
}
WORDS: dict[tuple[str, str], type[StrEnum]] = {
    ("rung_certificates", "state"): words.CertificateState,
    ("rung_jobs", "state"): words.JobState,
    ("rung_runs", "state"): words.RunState,
    ("rung_deliveries", "state"): words.DeliveryState,
    ("rung_batches", "state"): words.BatchState,
    ("rung_batch_requests", "state"): words.BatchState,
    ("rung_batch_oldest_seconds", "state"): words.BatchState,
    ("rung_calls_total", "state"): words.CallState,
    ("rung_attempts_closed_total", "outcome"): words.AttemptOutcome,
}
LANES = {str(lane) for lane in words.Lane}
SOMETHING_OF_EVERYTHING = """
INSERT INTO runs (name, policy, policy_name, policy_version, deadline)
  VALUES ('monday', '{}', 'p', 'v', now() + interval '1 h');
INSERT INTO budgets (scope, run_id, cap) SELECT 'run:' || id, id, 5 FROM runs;
INSERT INTO budgets (scope, day, cap) VALUES ('day:x', (now() AT TIME ZONE 'UTC')::date, 50);
INSERT INTO run_counts SELECT id, 'routed', 'haiku', 9 FROM runs;
INSERT INTO job_totals VALUES ('dead', 'haiku', 0, 2);
INSERT INTO call_totals (tier, purpose, model, lane, state, simulated, slot, calls, cost)
  VALUES ('haiku', 'answer', 'm', 'realtime', 'done', false, 0, 9, 1);
INSERT INTO call_error_totals VALUES ('haiku', 'realtime', '429', 0, 3);
INSERT INTO escalation_totals VALUES ('haiku', 'sonnet', 'low_confidence', 0, 4);
INSERT INTO attempt_totals VALUES ('haiku', 'realtime', 'accepted', 0, 9),
  ('haiku', 'realtime', 'rejected', 0, 4), ('haiku', 'realtime', 'lost', 0, 1);
INSERT INTO timings VALUES ('wait', 'haiku', 'realtime', 2, 0, 9, 9),
  ('answer', 'haiku', 'realtime', 3, 0, 9, 20);
INSERT INTO message_batches (state, stage, tier, model, requests)
  VALUES ('submitted', 'answer', 'opus', 'm', 12);
INSERT INTO schedules (name, cron, timezone) VALUES ('nightly', '0 2 * * *', 'UTC');
INSERT INTO firings (name, night, due_at, state, by)
  VALUES ('nightly', current_date, now(), 'failed', 'a test');
INSERT INTO delivery_targets (name) VALUES ('desk');
INSERT INTO step_rounds (step, every_s) VALUES ('rescue', 15);
INSERT INTO lookup_failures (name, why, on_failure) VALUES ('orders', 'hangs', 'wait')
"""


@pytest.fixture
def seen(
    engine: Engine, database_url: str, redis_url: str, simulator: tuple[State, str]
) -> Iterator[Seen]:
    """A scrape in which every metric has a series."""
    do(engine, SOMETHING_OF_EVERYTHING)
    schedule = {"nightly": {"cron": "0 2 * * *", "where": "state = review"}}
    settings = settings_for(
        database_url,
        simulator[1],
        redis_url=redis_url,
        schedule=schedule,
        tiers=default_tiers(),
    )
    with dashboard(settings) as url:
        yield scraped(url)


@pytest.fixture
def series(seen: Seen) -> Series:
    """The scrape as Prometheus would hold it after two hours, recorded series included."""
    minutes = range(0, 7_201, 60)
    held = Series(
        {
            labels | {(NAME, name)}: [Sample(at, value + at / 1_000) for at in minutes]
            for (name, labels), value in seen.items()
        }
    )
    for rule in RULES:
        if rule.for_s is None:
            for labels, value in vector(rule.expression, held, 7_200).items():
                held[without(labels, NAME) | {(NAME, rule.name)}] = [Sample(7_200, value)]
    return held


def labels_known(series: Series) -> dict[str, set[str]]:
    """Names of labels by metric."""
    known: dict[str, set[str]] = {}
    for labels in series:
        named = dict(labels)
        known.setdefault(named.pop(NAME), set()).update(named)
    return known


def labels_asked(expression: Expression) -> set[str]:
    """Names of labels by which an expression groups or matches."""
    found: set[str] = set()
    for part in parts(expression):
        if isinstance(part, Aggregate):
            found.update(part.by)
        elif isinstance(part, Binary):
            found.update(part.on or ())
    return found


def test_the_scrape_has_every_metric(seen: Seen) -> None:
    names = {name.removesuffix("_bucket") for name, _ in seen}
    assert {metric.name for metric in METRICS} - names == set()


def test_everything_that_is_asked_for_is_in_a_real_scrape(series: Series) -> None:
    # given
    known = labels_known(series)
    # when
    missing = []
    for where, expression in ASKED.items():
        selects = [part for part in parts(expression) if isinstance(part, Select)]
        there = set().union(*(known.get(select.name, set()) for select in selects))
        missing += [
            (where, select.name, matcher.label)
            for select in selects
            for matcher in select.matchers
            if matcher.label not in known.get(select.name, set())
        ]
        missing += [(where, one.name, "") for one in selects if one.name not in known]
        # label_replace makes from_tier; escalations have it anyway.
        missing += [(where, "", name) for name in labels_asked(expression) - there]
    # then
    assert ASKED
    assert missing == []


def test_every_expression_has_a_value_or_none_and_no_error(series: Series) -> None:
    # when
    values = {where: vector(expression, series, 7_200) for where, expression in ASKED.items()}
    # then every panel shows something, for every metric has a series
    alerts = {rule.name for rule in RULES if rule.for_s is not None}
    assert [where for where, value in values.items() if not value and where not in alerts] == []


def test_every_word_that_is_asked_for_is_a_word_of_the_record() -> None:
    # given
    asked_for = [
        (select.name, matcher.label, word)
        for expression in ASKED.values()
        for select in parts(expression)
        if isinstance(select, Select)
        for matcher in select.matchers
        for word in matcher.value.split("|")
    ]
    # when
    unknown = [
        (name, label, word)
        for name, label, word in asked_for
        if ((name, label) in WORDS and word not in list(WORDS[name, label]))
        or (label == "lane" and word not in LANES)
        or (label == "queue" and word not in (words.ROUTING, words.EVERYTHING))
        or (label == "simulated" and word not in ("true", "false"))
    ]
    # then
    assert asked_for
    assert unknown == []
    states = {(name, label) for name, label, _ in asked_for if label in ("state", "outcome")}
    assert states <= set(WORDS)
