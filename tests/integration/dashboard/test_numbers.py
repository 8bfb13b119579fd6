"""Numbers on the pages, in the API and in `/metrics` are those of SQL after every change: workers,
people and accidents take turns in an order that a seed draws, and after each all are compared with
the rows themselves, never with the counters that the pages read."""

import random
import re
from decimal import Decimal
from typing import Any

import httpx2
import pytest
from prometheus_client.parser import text_string_to_metric_families
from sqlalchemy import Engine

from models.vocabulary import JobState, Lane, RunState
from tests.support.accidents import ADA, possible_changes
from tests.support.list_numbers import compare_lists
from tests.support.nights import night, night_settings
from tests.support.pages import Page
from tests.support.promises import one
from tests.support.side_numbers import compare_aside, compare_spend
from tests.support.works import hand_in, make_due
from worker.config.settings import Settings
from worker.domain.wording import dollars
from worker.sandbox.simulator.state import State
from worker.store.actions.audits import raise_share
from worker.store.queue import deliveries
from worker.store.reading.standings import standing_of

BODIES = [f"A complicated case, number {n}: please help me." for n in range(14)]
FIRST = ("hand in", "work", "batch", "pause a run", "die", "cancel all", "die all", "work on",
         "go to a person")  # fmt: skip
"""To the run `one`, before chance draws: every state is met."""
STEPS = 2
ROWS = """
SELECT count(*) AS total, count(*) FILTER (WHERE finished_at IS NOT NULL) AS ended,
  count(*) FILTER (WHERE state = 'answered') AS answered,
  count(*) FILTER (WHERE state = 'dead') AS dead,
  count(*) FILTER (WHERE state = 'review') AS review,
  count(*) FILTER (WHERE state = 'cancelled') AS cancelled,
  count(*) FILTER (WHERE id IN (SELECT job_id FROM reviews)) AS decided,
  (SELECT count(*) FROM calls AS c JOIN jobs AS j ON j.id = c.job_id
   WHERE j.run_id = ANY(:runs) AND c.state <> 'sent') AS calls,
  (SELECT coalesce(sum(c.cost), 0) FROM calls AS c JOIN jobs AS j ON j.id = c.job_id
   WHERE j.run_id = ANY(:runs)) AS spent,
  (SELECT count(*) FROM escalations AS e JOIN jobs AS j ON j.id = e.job_id
   WHERE j.run_id = ANY(:runs)) AS escalations
FROM jobs WHERE run_id = ANY(:runs)
"""
QUEUES = """
SELECT count(*) FILTER (WHERE lease_until IS NULL), count(*) FILTER (WHERE lease_until IS NOT NULL)
FROM jobs AS j JOIN runs AS r ON r.id = j.run_id
WHERE queue IN (:queue, 'batch.' || :queue) AND r.finished_at IS NULL
"""


@pytest.fixture
def settings(database_url: str, redis_url: str, simulator: tuple[State, str]) -> Settings:
    return night_settings(database_url, simulator[1], redis_url=redis_url)


def shown(client: httpx2.Client, path: str) -> Page:
    answer = client.get(path)
    assert answer.status_code == 200, answer.text
    return Page(answer.text)


def compare(client: httpx2.Client, engine: Engine) -> None:
    """Every number that has a place on several surfaces, on all of them."""
    live = one(engine, "SELECT array_agg(id) FROM runs WHERE finished_at IS NULL")[0]
    _compare_now(client, engine, live or [])
    for run_id in one(engine, "SELECT array_agg(id) FROM runs")[0]:
        _compare_run(client, engine, run_id)
    whole = one(engine, ROWS, runs=one(engine, "SELECT array_agg(id) FROM runs")[0])
    dead = shown(client, "/dead")
    assert dead.root.all("h1")[0].text.split()[0] == str(whole.dead or "No")
    review = shown(client, "/review")
    waits = whole.review - whole.decided
    assert review.root.all("h1")[0].text.split()[0] == str(waits or "Nothing")
    badges = [n.text for n in review.root.all("nav")[0].all("a") if n.text.startswith("Review")]
    assert badges == [f"Review {waits}" if waits else "Review"]
    causes = dead.root.all("table")[:1]
    assert sum(int(r.all("th")[0].text) for t in causes for r in t.all("tbody")[0].all("tr")) == (
        whole.dead
    )
    _compare_metrics(client, whole)
    compare_aside(client, engine)
    compare_lists(client, engine)


def _compare_now(client: httpx2.Client, engine: Engine, live: list[int]) -> None:
    page = shown(client, "/")
    if live:
        rows = one(engine, ROWS, runs=live)
        done = f"{rows.ended} of {rows.total} message"
        assert done in page.text
        assert dollars(rows.spent) in page.text
        ladder = page.root.all("svg", cls="wide")[0].attributes["aria-label"]
        # Steps to the ladder's tiers say "answered"; the person's rung says "for a person".
        assert sum(map(int, re.findall(r"(\d+) answered", ladder))) == rows.answered
        assert f"a person: {rows.review} for a person" in ladder
        assert (f"{rows.decided} decided" in ladder) is bool(rows.decided)
        _adds_up(ladder, rows.total)
    for row in page.rows("queues") if page.root.all("table", cls="queues") else []:
        waiting, flying = one(engine, QUEUES, queue=row[""])
        assert (row["waiting"], row["in flight"]) == (str(waiting), str(flying)), row


PLACES = ("answered", "dead letter", "open", "not yet routed", "for a person", "cancelled")


def _adds_up(ladder: str, total: int) -> None:
    """Every message stands at one place of the ladder."""
    found = {place: sum(map(int, re.findall(rf"(\d+) {place}", ladder))) for place in PLACES}
    assert sum(found.values()) == total, (found, ladder)
    assert f"{total} submitted" in ladder


def _compare_run(client: httpx2.Client, engine: Engine, run_id: int) -> None:
    rows, page = one(engine, ROWS, runs=[run_id]), shown(client, f"/runs/{run_id}")
    assert f"{rows.ended} of {rows.total} message" in page.text
    assert f"calls {rows.calls} climbed {rows.escalations}" in page.text
    assert dollars(rows.spent) in page.text
    compare_spend(page, engine, run_id)
    for word, count in (("answered", rows.answered), ("for a person", rows.review),
                        ("dead", rows.dead), ("cancelled", rows.cancelled),
                        ("of them decided", rows.decided),
                        ("open", rows.total - rows.ended)):  # fmt: skip
        legend = page.root.all("p", cls="legend")[0].text
        assert (f"{count} {word}" in legend) is bool(count), (legend, word, count)
    _adds_up(page.root.all("svg", cls="wide")[0].attributes["aria-label"], rows.total)
    told = client.get(f"/api/runs/{run_id}").json()
    assert sum(told["by_state"].values()) == rows.total
    with engine.connect() as connection:
        said = standing_of(connection, run_id).state_words
    assert sum(int(words.split()[0]) for words in said) == rows.total, said
    assert (told["total"], told["ended"], told["calls"]) == (rows.total, rows.ended, rows.calls)
    assert Decimal(str(told["spent_usd"])) == round(rows.spent, 6)
    assert told["by_state"].get("answered", 0) == rows.answered
    assert sum(told["by_verdict"].values()) == rows.decided
    assert told["for_people"] == rows.review - rows.decided


def _compare_metrics(client: httpx2.Client, whole: Any) -> None:
    sums: dict[str, float] = {}
    by_state: dict[str, float] = {}
    for family in text_string_to_metric_families(client.get("/metrics").text):
        for sample in family.samples:
            sums[sample.name] = sums.get(sample.name, 0) + sample.value
            if sample.name == "rung_jobs":
                state = sample.labels["state"]
                by_state[state] = by_state.get(state, 0) + sample.value
    assert sums["rung_jobs"] == whole.total
    assert [by_state.get(state, 0) for state in ("answered", "dead", "review", "cancelled")] == [
        whole.answered, whole.dead, whole.review, whole.cancelled
    ]  # fmt: skip
    assert sums["rung_jobs_decided"] == whole.decided
    assert sums["rung_jobs_for_people"] == whole.review - whole.decided
    assert sums.get("rung_calls_total", 0) == whole.calls
    assert sums.get("rung_escalations_total", 0) == whole.escalations
    assert sums.get("rung_spend_usd_total", 0) == pytest.approx(float(whole.spent), abs=1e-9)


STATES_MET = """
SELECT array_agg(DISTINCT state) FROM (SELECT state FROM jobs UNION ALL SELECT state FROM runs) AS s
"""


@pytest.mark.slow
@pytest.mark.usefixtures("configured")
@pytest.mark.parametrize("seed", [1, 2])
def test_every_number_is_that_of_sql_after_every_change(
    client: httpx2.Client, engine: Engine, settings: Settings, seed: int
) -> None:
    draw = random.Random(seed)
    deliveries.announce(engine, {"desk": True})
    for name in ("one", "two"):
        run = hand_in(engine, settings, BODIES, name=name, cap=Decimal(2))
        raise_share(engine, ADA, run, Decimal("0.5"))
    hand_in(engine, settings, BODIES[:6], name="night", cap=Decimal(2), lane=Lane.BATCH)
    met: set[str] = set()
    with night(settings) as (runtime, lane):
        compare(client, engine)
        for first in (*FIRST, *[None] * STEPS):
            # given
            run = "one" if first else draw.choice(("one", "two", "night"))
            possible = possible_changes(engine, settings, runtime, draw, run)
            possible["batch"] = lane.step
            drawn = draw.choice([*possible, "work", "work on", "work", "batch", "batch"])
            # when
            possible[first or drawn]()
            make_due(engine)
            # then
            compare(client, engine)
            met |= set(one(engine, STATES_MET)[0])
    assert met == {*JobState, *RunState}
