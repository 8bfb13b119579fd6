"""The ladder, the charts and the story of a job: pure, figures in, shapes and words out."""

import datetime as dt
from dataclasses import fields, replace
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from worker.dashboard.screens import story
from worker.dashboard.screens.charts import (
    SpendSoFar,
    histograms,
    latencies,
    reasons,
    spending,
)
from worker.dashboard.screens.ladder import picture
from worker.dashboard.screens.plots import WIDTH
from worker.domain.receipt import (
    Receipt,
    ReceiptAttempt,
    ReceiptResult,
    ReceiptReview,
    ReceiptStep,
)
from worker.store.reading.sampling import BINS, Sample
from worker.store.reading.screens import ClimbCount

TIERS = ["haiku", "sonnet", "opus"]
MODELS = {"haiku": "claude-haiku-5-5"}
NOW = dt.datetime(2026, 11, 24, 14, 0, tzinfo=dt.UTC)


def step(source: str, target: str, why: str, jobs: int) -> ClimbCount:
    return ClimbCount(from_tier=source, to_tier=target, reason=why, escalations=jobs)


def test_the_picture_says_who_stopped_where_and_who_climbed_why() -> None:
    # given
    counts = {
        ("queued", ""): 10, ("routed", "haiku"): 5, ("answered", "haiku"): 60,
        ("answered", "sonnet"): 15, ("answered", "opus"): 4, ("review", "opus"): 3,
        ("dead", "haiku"): 2, ("cancelled", "haiku"): 1,
    }  # fmt: skip
    steps = [
        step("haiku", "sonnet", "low_confidence", 9), step("haiku", "opus", "refused:bio", 2),
        step("sonnet", "opus", "schema", 3), step("opus", "person", "low_confidence", 3),
    ]  # fmt: skip
    # when
    found = picture(TIERS, counts, steps, MODELS)
    # then
    person, opus, sonnet, haiku, ground = found.rungs
    assert (person.words, person.stopped) == ("3 for a person · 3 %", 0.03)
    assert (haiku.words, haiku.under_way, haiku.note) == (
        "60 answered · 60 % · 2 dead letters", "5 open", "claude-haiku-5-5"
    )  # fmt: skip
    assert ground.words == "100 submitted · 1 cancelled"
    assert ground.under_way == "10 not yet routed"
    assert {one.href for rung in found.rungs for one in (*rung.figures, *rung.open)} == {None}
    climbs = [rung.climb for rung in (haiku, sonnet, opus, ground)]
    assert [(climb.jobs, climb.words, climb.why) for climb in climbs if climb] == [
        (11, "11 climbed, 2 straight to opus", "low confidence 9 · refused:bio 2"),
        (3, "3 climbed", "schema 3"),
        (3, "3 climbed", "low confidence 3"),
        (90, "90 routed", "to haiku 79 · sonnet 9 · opus 2"),
    ]
    assert "haiku: 60 answered · 60 %" in found.sentence


def test_an_empty_ladder_and_a_tier_that_is_gone_are_drawn() -> None:
    assert picture(TIERS, {}, [], {}).sentence.startswith("The ladder is empty")
    old = picture(["opus"], {("answered", "mini"): 3}, [], {})
    assert [rung.name for rung in old.rungs] == ["person", "opus", "mini", "routing"]


@given(
    st.dictionaries(
        st.tuples(
            st.sampled_from(["queued", "routed", "answered", "review", "dead", "cancelled"]),
            st.sampled_from(TIERS),
        ),
        st.integers(0, 10_000),
    )
)
def test_no_bar_is_longer_than_all(counts: dict[tuple[str, str], int]) -> None:
    for rung in picture(TIERS, counts, [], {}).rungs:
        assert 0 <= rung.stopped <= 1
        assert 0 <= rung.stopped + rung.busy <= 1 + 1e-9


def sample(**given: Any) -> Sample:
    empty: dict[str, Any] = {
        "jobs": 1, "confidence": [], "thresholds": {}, "latency": [], "costs": [],
    }  # fmt: skip
    return Sample(**(empty | given))


def test_histograms_stack_what_passed_and_what_did_not() -> None:
    rows = [
        {"tier": "haiku", "bin": 8, "passed": False, "answers": 5},
        {"tier": "haiku", "bin": BINS - 1, "passed": True, "answers": 20},
        {"tier": "haiku", "bin": BINS - 1, "passed": False, "answers": 5},
    ]
    ((tier, found),) = histograms(sample(confidence=rows, thresholds={"haiku": 0.7}), TIERS)
    assert (tier, found.words) == ("haiku", "20 of 30 answers were accepted; 0.70 is asked")
    assert found.ys == ("40", "20", "0")
    assert [line.d for line in found.lines] == ["M420.0 0V120"]
    assert max(one.x + one.width for one in found.bars) <= WIDTH
    assert [(one.kind, one.y, one.height) for one in found.bars] == [
        ("failed", 105.0, 15.0), ("passed", 60.0, 60.0), ("failed", 45.0, 15.0)
    ]  # fmt: skip
    assert found.places[-1].words == "0.95 to 1.00: 20 accepted, 5 not"
    assert histograms(sample(), TIERS) == []


def test_times_reasons_and_money_become_shapes() -> None:
    rows = [
        {"stage": "answer", "tier": "opus", "waited_s": [1.0, 2.0], "took_s": [3.0, 9.0]},
        {"stage": "route", "tier": "haiku", "waited_s": [0.5, 1.0], "took_s": [0.5, 0.6]},
    ]
    first, second = latencies(sample(latency=rows), TIERS)
    assert (first.title, second.tier, second.first, second.second) == ("classify", "opus", 25, 75)
    bars = reasons([step("haiku", "sonnet", "low_confidence", 8)], 100)
    assert [(bar.title, bar.words) for bar in bars] == [
        ("haiku → sonnet", "low confidence: 8, 8 % of all messages")
    ]


@pytest.mark.parametrize(
    ("cap", "due_min", "xs", "lines", "legend"),
    [
        (None, None, ("14:00", "14:20", "14:40"), [], ["spent"]),
        ("4", 60, ("14:00", "14:30", "15:00"), ["M0 0.0H600", "M600.0 0V120"],
         ["spent", "budget $4.00", "deadline 15:00"]),
        ("50", 600, ("14:00", "14:20", "14:40"), [],
         ["spent", "budget $50.00, off this chart",
          "deadline 25 Nov 2026 00:00, off this chart"]),
    ],
)  # fmt: skip
def test_money_has_a_scale_a_budget_and_a_deadline(
    cap: str | None, due_min: int | None, xs: Any, lines: list[str], legend: list[str]
) -> None:
    # given
    ended = NOW + dt.timedelta(minutes=40)
    costs = [{"step": n, "cost": Decimal("0.1"), "begun": NOW, "ended": ended} for n in (0, 30, 59)]
    so_far = SpendSoFar(
        spent=Decimal(3),
        cap=Decimal(cap) if cap else None,
        deadline=NOW + dt.timedelta(minutes=due_min) if due_min else None,
    )
    # when
    curve = spending(sample(costs=costs), so_far)
    # then
    assert curve is not None
    assert (curve.xs, [line.d for line in curve.lines]) == (xs, lines)
    assert [words for _, words in curve.legend] == legend
    assert curve.places[-1].words == "until 14:40: $3.00"
    assert curve.ys == ("$4.00", "$2.00", "$0.00")
    assert spending(sample(costs=costs[:1]), so_far) is None


STEP = ReceiptStep(
    fence=1, from_tier="haiku", to_tier="sonnet", reason="low_confidence", detail=None, at=NOW
)


def attempt(**changes: Any) -> ReceiptAttempt:
    made = dict.fromkeys((field.name for field in fields(ReceiptAttempt)), None) | {
        "stage": "answer", "tier": "haiku", "model": "claude-haiku-5-5", "outcome": "rejected",
        "reasons": ["low_confidence"], "decision": "climb:sonnet",
        "confidence": Decimal("0.41"), "threshold": Decimal("0.70"),
        "waited_s": 1.0, "took_s": 2.0, "calls": [None], "escalation": STEP,
    }  # fmt: skip
    return ReceiptAttempt(**made | changes)


def review(verdict: str, reviewer: str) -> ReceiptReview:
    return ReceiptReview(verdict=verdict, reviewer=reviewer, reply=None, reason=None, at=NOW)


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({}, "Not good enough: it was 0.41 sure, and 0.70 is asked, so sonnet was asked."),
        ({"confidence": None},
         "Not good enough: it did not say how sure it was, which counts as low, so sonnet was"
         " asked."),
        ({"reasons": ["placeholder", "schema"], "decision": "again"},
         "Not good enough: it left a placeholder in the reply and its answer did not have the form"
         " that is asked for, so it was asked once more, and told what to fix."),
        ({"reasons": ["refused:cyber"], "outcome": "refused", "decision": "review"},
         "Not good enough: it refused (cyber), so a person must look."),
        ({"outcome": "accepted"}, "The answer was accepted."),
        ({"outcome": "routed", "difficulty": "COMPLEX", "decision": "start:opus"},
         "Complex: it starts at opus."),
        ({"outcome": "started"}, "It is being worked on."),
        ({"outcome": "failed", "reasons": []}, "It failed: see the calls."),
    ],
)  # fmt: skip
def test_every_outcome_is_a_sentence(changes: dict[str, Any], words: str) -> None:
    assert story.outcome(attempt(**changes)) == words


@pytest.mark.parametrize("word", ["deferred", "lost", "superseded"])
def test_what_was_nobodys_fault_is_said_so(word: str) -> None:
    assert story.outcome(attempt(outcome=word)).endswith(".")


def test_the_story_of_a_job() -> None:
    result = ReceiptResult(
        job_id=1, fence=2, reply="", fields={}, tier="sonnet", model="", accepted=True,
        confidence=Decimal("0.9"), reasons=(), simulated=False, created_at=NOW,
    )  # fmt: skip
    made = dict.fromkeys((field.name for field in fields(Receipt)), None) | {
        "attempts": [attempt(), attempt(tier="sonnet", outcome="accepted", escalation=None)],
        "result": result, "state": "answered", "tier": "sonnet",
    }  # fmt: skip
    found = Receipt(**made)
    assert story.headline(found) == (
        "It went from haiku to sonnet, because it was 0.41 sure, and 0.70 is asked."
        " sonnet answered it, 0.90 sure."
    )
    assert story.summary(found.attempts) == (
        "2 attempts, 2 calls; 2.0 s waiting for its turn, 4.0 s with Claude"
    )
    dead = replace(found, attempts=[], result=None, state="dead", reason="too long")
    assert story.headline(dead) == "It did not climb. It is a dead letter: too long."
    waits = replace(found, attempts=[], state="review", reviews=[])
    assert story.headline(waits).endswith("A person must look: its best effort is kept.")
    judged = replace(waits, reviews=[review("accept", "eve"), review("reject", "ada")])
    assert story.headline(judged).endswith("ada rejected it: nothing goes out.")
    waiting = replace(found, attempts=[], state="routed")
    assert story.headline(waiting) == "It did not climb. It is not done yet: waiting for sonnet."
    titles = [story.title(a) for a in (attempt(), attempt(stage="route"),
              attempt(stage="route", model=None, rule="vip"))]  # fmt: skip
    assert titles == [
        "haiku was asked to answer", "haiku was asked how hard it is",
        "Routed by vip, nobody was asked",
    ]  # fmt: skip
