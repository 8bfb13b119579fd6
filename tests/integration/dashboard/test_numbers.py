"""Numbers on the pages, in the API and in `/metrics` are those of SQL after every change: workers,
people and accidents take turns in an order that a seed draws, and after each all are compared with
the rows themselves, never with the counters that the pages read."""

import random
import re
from collections.abc import Callable
from dataclasses import replace
from decimal import Decimal
from typing import Any

import httpx2
import pytest
from prometheus_client.parser import text_string_to_metric_families
from sqlalchemy import Engine

from models.vocabulary import Lane, Verdict
from tests.support.nights import night, night_settings
from tests.support.pages import Page
from tests.support.promises import do, one
from tests.support.side_numbers import compare_aside, compare_spend
from tests.support.works import drain, hand_in, make_due
from worker.config.settings import Settings
from worker.domain.canary import words as canary_words
from worker.domain.filter_parsing import parse
from worker.domain.wording import dollars
from worker.lanes.realtime.runtime import Runtime
from worker.sandbox.simulator.state import State
from worker.store.actions import changes, holds
from worker.store.actions.audits import raise_share
from worker.store.actions.caps import set_budget
from worker.store.actions.reviews import Judged, give_verdict
from worker.store.actions.selection import Selection
from worker.store.audit import Actor
from worker.store.queue import deliveries, halts, rate_holds
from worker.store.reading.standings import standing_of

ADA = Actor("ada")
BODIES = [f"A complicated case, number {n}: please help me." for n in range(14)]
STEPS = 16
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
GIVE_UP = """
UPDATE deliveries SET state = 'dead', ended_at = now(), error = 'HTTP 500' WHERE job_id =
  (SELECT min(job_id) FROM deliveries WHERE state = 'waiting')
"""
JUDGE = """
INSERT INTO truths (job_id, fence, grader, grader_name, is_right)
SELECT job_id, fence, 'person', 'ada', :right FROM audits AS a WHERE NOT EXISTS (
  SELECT FROM truths WHERE (job_id, fence) = (a.job_id, a.fence)) ORDER BY job_id LIMIT 2
"""
QUEUES = """
SELECT count(*) FILTER (WHERE lease_until IS NULL), count(*) FILTER (WHERE lease_until IS NOT NULL)
FROM jobs AS j JOIN runs AS r ON r.id = j.run_id
WHERE queue IN (:queue, 'batch.' || :queue) AND r.finished_at IS NULL
"""


@pytest.fixture
def settings(database_url: str, redis_url: str, simulator: tuple[State, str]) -> Settings:
    return night_settings(database_url, simulator[1], redis_url=redis_url)


def possible_changes(
    engine: Engine, settings: Settings, runtime: Runtime, draw: random.Random
) -> dict[str, Callable[[], Any]]:
    """What may happen."""
    run = draw.choice(("one", "two", "night"))
    run_id = one(engine, "SELECT id FROM runs WHERE name = :name", name=run)[0]
    of_run = Selection(run_id=run_id, run_name=run)
    half = replace(of_run, node=parse("external_id contains 1"))
    dead = Selection(node=parse("state = dead"))
    dying = "UPDATE jobs SET state = 'dead', reason = 'schema', finished_at = now() WHERE id = :id"
    open_one = "SELECT min(id) FROM jobs WHERE finished_at IS NULL AND lease_until IS NULL"
    spent = one(engine, "SELECT spent + reserved FROM budgets WHERE run_id = :id", id=run_id)[0]
    return {
        "stop by budget": lambda: _unless_over(engine, run_id, lambda: set_budget(
            engine, ADA, of_run, spent + Decimal("0.000001"))),
        "hold": lambda: rate_holds.note_hold(engine, ["sonnet"], 60, None),
        "fail a canary": lambda: _fail_canary(engine),
        "resume opus": lambda: holds.resume_queue(engine, ADA, "opus"),
        "decide": lambda: _decide(engine, draw.choice(tuple(Verdict))),
        "give up": lambda: do(engine, GIVE_UP),
        "judge": lambda: do(engine, JUDGE, right=draw.random() < 0.7),
        "work": lambda: drain(runtime, rounds=1),
        "work on": lambda: drain(runtime, rounds=2),
        "die": lambda: do(engine, dying, id=one(engine, open_one)[0]),
        "retry": lambda: changes.apply(engine, ADA, changes.RETRY, dead),
        "cancel some": lambda: changes.apply(engine, ADA, changes.CANCEL, half),
        "cancel all": lambda: changes.apply(engine, ADA, changes.CANCEL, of_run),
        "pause": lambda: holds.pause_queue(engine, ADA, "sonnet", "later"),
        "resume": lambda: holds.resume_queue(engine, ADA, "sonnet"),
        "drain": lambda: holds.drain_queue(engine, ADA, "haiku", "later"),
        "resume haiku": lambda: holds.resume_queue(engine, ADA, "haiku"),
        "hand in": lambda: hand_in(engine, settings, BODIES[:3], name=f"more-{draw.random()}"),
        "put first": lambda: _unless_over(engine, run_id, lambda: changes.set_priority(
            engine, ADA, of_run, draw.randrange(9))),
        "budget": lambda: _unless_over(engine, run_id, lambda: set_budget(
            engine, ADA, of_run, Decimal(draw.randrange(2, 9)))),
    }  # fmt: skip


def _fail_canary(engine: Engine) -> None:
    with engine.begin() as connection:
        halts.halt(connection, "opus", canary_words("opus", 0, 5, ["malformed"]))


def _decide(engine: Engine, verdict: Verdict) -> None:
    """A person's word on one that waits for it, or on one that has it already."""
    found = one(engine, "SELECT max(id) FROM jobs WHERE state = 'review' AND id % 3 > 0")[0]
    if found is not None:
        give_verdict(
            engine,
            ADA,
            Judged(job_id=found, verdict=verdict, reply="Another reply.", reason="a reason"),
        )


def _unless_over(engine: Engine, run_id: int, change: Callable[[], Any]) -> None:
    if one(engine, "SELECT finished_at FROM runs WHERE id = :id", id=run_id)[0] is None:
        change()


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


@pytest.mark.slow
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
    with night(settings) as (runtime, lane):
        compare(client, engine)
        for _ in range(STEPS):
            # given
            possible = possible_changes(engine, settings, runtime, draw)
            possible["batch"] = lane.step
            what = draw.choice([*possible, "work", "work on", "work", "batch", "batch"])
            # when
            possible[what]()
            make_due(engine)
            # then
            compare(client, engine)
