"""`rung evaluate RUN` and `rung advise`: what happened beside what might have."""

import pytest
from sqlalchemy import Engine, text

from tests.support.cli import say
from tests.support.promises import do, one
from tests.support.recorded import Traffic, answered_run
from worker.cli import evaluate
from worker.config.loading import load_settings
from worker.store.reading import graded
from worker.store.reading.facts import facts_of
from worker.store.reading.graded import population
from worker.store.runs import find_run


@pytest.fixture
def monday(engine: Engine, database_url: str, configured: None) -> Engine:
    """A run of 600 messages, a third of them audited and judged."""
    answered_run(engine, database_url, Traffic(messages=600, right=0.95, share="0.33"))
    return engine


def test_what_ran_has_its_cost_and_an_interval_from_the_audits(monday: Engine) -> None:
    said = say("evaluate", "monday", "--json")
    found = {p["policy"]: p for p in said.document["policies"]}
    ran = found["as it ran"]
    cost = one(monday, "SELECT sum(cost) FROM jobs")[0]
    assert ran["cost_usd"] == pytest.approx(float(cost), abs=1e-6)
    right = one(monday, "SELECT avg(is_right::int) FROM truths JOIN audits USING (job_id, fence)")[
        0
    ]
    assert ran["quality"]["low"] < right < ran["quality"]["high"]
    assert ran["quality"]["high"] - ran["quality"]["low"] < 0.15
    assert ran["quality"]["known"] < ran["quality"]["of"] == 600


def test_a_part_of_a_large_run_is_read_evenly_spaced(
    monday: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monday.connect() as connection:
        whole = population(connection, [1], sample=100)
        monkeypatch.setattr(graded, "READ_WHOLE", 599)
        part = population(connection, [1], sample=100)
        may_idle = connection.execute(text("SHOW idle_in_transaction_session_timeout")).scalar()
    # What is read whole is thought about for long, and the command would end without its answer
    assert may_idle == "0"
    assert (len(part.messages), part.of, len(whole.messages)) == (100, 600, 600)
    known = {message.name: message for message in whole.messages}
    assert all(known[message.name] == message for message in part.messages)
    names = sorted(known)
    assert max(names.index(m.name) for m in part.messages) > 560


def test_of_many_messages_those_are_read_that_the_draw_of_audits_chooses_first(
    monday: Engine,
) -> None:
    with monday.connect() as connection:
        whole, some = population(connection, [1]), population(connection, [1], by_draw=100)
        more = population(connection, [1], by_draw=450)
    assert (whole.part, some.part, more.part) == (1.0, pytest.approx(0.4125), 0.75)
    assert 180 < len(some.messages) < 310 < len(more.messages) < 520
    assert more.of == some.of == len(whole.messages)
    # Nobody's verdict is lost
    for part in (some, more):
        assert part.verdicts == whole.verdicts
        assert [m.name for m in part.sampled] == [m.name for m in whole.sampled]
    # and what was drawn for a smaller share was drawn for a larger one
    for message, same in zip(some.sampled, whole.sampled, strict=True):
        for tier, answer in message.answers.items():
            wanted = min(same.answers[tier].probability / 0.4125, 1)
            assert answer.probability == pytest.approx(wanted)


def test_a_part_says_the_same_of_a_run_within_its_interval(
    monday: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(evaluate, "READ", 300)
    read, every = (say("evaluate", "monday", *more, "--json") for more in ((), ("--all",)))
    assert every.document["read"] == every.document["messages"] == 600
    assert read.document["messages"] == 600 > 350 > read.document["read"]
    ran, whole = (
        {p["policy"]: p for p in said.document["policies"]}["as it ran"] for said in (read, every)
    )
    assert ran["quality"]["low"] < whole["quality"]["point"] < ran["quality"]["high"]
    assert ran["cost_usd"] == pytest.approx(whole["cost_usd"], rel=ran["cost_error"])
    assert 0 < ran["cost_error"] < 0.3
    said = say("evaluate", "monday").out
    assert "600 messages, of which" in said
    assert "±" in said
    assert "±" not in say("evaluate", "monday", "--all").out


def test_what_was_never_asked_has_bounds_and_no_point(monday: Engine) -> None:
    found = {p["policy"]: p for p in say("evaluate", "monday", "--json").document["policies"]}
    top = found["always opus"]
    assert top["quality"]["point"] is None
    assert top["quality"]["high"] - top["quality"]["low"] > 0.8
    assert top["assumed_costs"] > 0
    said = say("evaluate", "monday").err
    assert "rung audit monday --shadow 5%" in said
    # and a sentence of two figures is not said of dashes
    assert "A dash: the record says nothing" in said
    assert ("the two figures are what is possible" in said) is any(
        one["quality"]["point"] is None and one["quality"]["high"] - one["quality"]["low"] < 0.999
        for one in found.values()
    )


def test_a_hop_is_judged_by_those_who_climbed_to_it(monday: Engine) -> None:
    # given: others that started at sonnet, every one accepted there
    do(
        monday,
        "UPDATE attempts SET tier = 'sonnet' WHERE fence = 1 AND outcome = 'accepted'"
        " AND job_id % 2 = 0",
    )
    # when
    advice = {a["topic"]: a for a in say("advise", "--json").document["advice"]}
    # then: about half of those that climbed stop at sonnet, whoever started there
    figures = advice["rung sonnet"]["figures"]
    climbed = one(monday, "SELECT count(*) FROM escalations WHERE to_tier = 'sonnet'")[0]
    assert f"of {climbed:,} that climbed accepted, 50 % needed to pay" in figures
    assert "this advice costs at most" in figures
    assert "judged were right" in figures


def test_of_many_messages_a_part_is_looked_at_and_money_is_of_all(monday: Engine) -> None:
    with monday.connect() as connection:
        run = find_run(connection, "monday")
        all_of_it = facts_of(connection, [run], load_settings())
        some = facts_of(connection, [run], load_settings(), most=300)
    assert (all_of_it.looked_at, some.looked_at, some.messages) == (None, 300, 600)
    assert (some.total, some.all_on_top) == (all_of_it.total, all_of_it.all_on_top)
    assert some.evidence == "600 messages, of which 300 were looked at"
    assert some.climbed == pytest.approx(all_of_it.climbed / 2, rel=0.3)
    tried = {rung.tier: rung.tried for rung in all_of_it.rungs}
    assert all(rung.tried < tried[rung.tier] for rung in some.rungs)


def test_accepted_is_not_called_resolved_and_unjudged_is_said(
    engine: Engine, database_url: str, configured: None
) -> None:
    answered_run(engine, database_url, Traffic(messages=200), judged=False)
    said = say("advise").out
    assert "resolved" not in said
    assert "nobody has judged whether they are right" in said
