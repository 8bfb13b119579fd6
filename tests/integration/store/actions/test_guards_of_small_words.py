"""Each condition of the short statements about runs: made, found, changed, forecast, and taken
back."""

import pytest

from tests.support.near_misses import PAST, Rows
from worker.store import counted, new_runs, policies, prompts, runs
from worker.store.actions import (
    changes,
    choosing,
    forecasts,
    foresight,
    samples,
    sessions,
    verdict_sheets,
)
from worker.store.reading import listing

IDS = "SELECT id FROM runs WHERE state = :state ORDER BY id"


def test_a_forecast_is_settled_by_what_the_run_came_to(rows: Rows) -> None:
    # given
    ended = {"state": "finished", "created_at": PAST, "finished_at": "now()"}
    other = rows.run(**ended)
    mine, active = rows.run(**ended), rows.run(state="active", finished_at="now()")
    cancelled, open_still = rows.run(**ended | {"state": "cancelled"}), rows.run(state="finished")
    for number, run in enumerate((mine, active, cancelled, open_still, other), 1):
        for measure in ("people", "seconds", "usd"):
            if run != other:
                rows.insert("forecasts", None, run_id=run, measure=measure, p10=1, p50=2, p90=3)
        rows.insert("run_spend", None, run_id=run, state="done", calls=1, purpose="answer",
                    cost=number, simulated=False, tier="haiku", model="m",
                    lane="realtime")  # fmt: skip
        for state, jobs in (("review", 10), ("answered", 1_000)):
            rows.insert("run_counts", None, run_id=run, state=state, tier="", jobs=number * jobs)
    # then
    found = [(one.run, one.measure, one.fact) for one in forecasts.settled(rows.connection)]
    assert found == [("run2", "people", 10), ("run2", "seconds", 3600), ("run2", "usd", 1)]
    assert len(forecasts.settled(rows.connection, 1)) == 1


def test_runs_end_and_begin_again(rows: Rows) -> None:
    # given
    mine, other = rows.run(), rows.run()
    over, also_over = (rows.run(state="finished", finished_at=PAST) for _ in range(2))
    # when
    rows.all(changes.END_RUN, run=mine)
    rows.all(changes.END_RUN, run=over)
    # then
    assert rows.firsts(IDS, state="cancelled") == [mine]
    assert rows.firsts(IDS, state="finished") == [over, also_over]
    # when
    rows.all(changes.REOPEN_RUNS, runs=[mine, over])
    # then
    assert rows.firsts(IDS, state="cancelled") == [mine]
    assert rows.firsts(IDS, state="active") == [other, over]
    # and
    rows.all(changes.SET_PRIORITY, run=other, priority=7)
    assert rows.firsts("SELECT id FROM runs WHERE priority = 7") == [other]
    assert rows.firsts(changes.RUN, run=other) == [other]


@pytest.mark.parametrize(("others", "calls", "simulated"), [
    ([], 1, True), ([], 0, False), (["simulated"], 1, False),
])  # fmt: skip
def test_what_is_chosen_is_of_its_runs(
    rows: Rows, others: list[str], calls: int, simulated: bool
) -> None:
    # given
    mine, also, other = (rows.run(policy_name=name) for name in ("a", "b", "c"))
    for run in (mine, other):
        by_simulator = run == other or not others
        many = 1 if run == other else calls
        rows.insert("run_spend", None, run_id=run, state="done", calls=many, purpose="answer",
                    cost=1, simulated=by_simulator, tier="haiku", model="m",
                    lane="realtime")  # fmt: skip
    # then
    ((names, told),) = rows.all(choosing.OF_RUNS, runs=[mine, also])
    assert (names, told) == (["a", "b"], simulated)


def test_what_is_open_of_a_run_is_foreseen(rows: Rows) -> None:
    mine, other = rows.run(policy_name="a"), rows.run(policy_name="b", lane="batch")
    for run, times in ((mine, 1), (other, 100)):
        for state, jobs in (("queued", 1), ("routed", 2), ("submitted", 3), ("answered", 9)):
            rows.insert("run_counts", None, run_id=run, state=state, tier="", jobs=times * jobs)
    assert rows.all(foresight.OPEN_OF_RUN, run=mine) == [("realtime", ["a"], 6)]


def test_a_sample_is_copied_beside_its_run(rows: Rows) -> None:
    # given
    mine, other, beside = rows.run(), rows.run(), rows.run()
    jobs = [rows.job(mine) for _ in range(3)]
    rows.job(mine, rows.message(erased_at="now()"))
    rows.job(other)
    # when
    values = {"of": mine, "to": beside, "most": 9, "lane": "batch", "priority": 1}
    rows.all(samples.COPY, **values)
    rows.all(samples.BESIDE, a=mine, b=beside)
    # then
    copied = rows.all("SELECT origin_id, lane, priority FROM jobs WHERE run_id = :run ORDER BY id",
                      run=beside)  # fmt: skip
    assert copied == [(job, "batch", 1) for job in jobs]
    said = rows.all("SELECT id, selection ->> 'compared_with' FROM runs ORDER BY id")
    assert said == [(mine, str(beside)), (other, None), (beside, str(mine))]


def test_sessions_that_ended_are_known_until_they_are_too_old(rows: Rows) -> None:
    rows.forget("ended_sessions")
    for nonce, left in (("mine", 60), ("gone", -60)):
        rows.all(sessions.END, nonce=nonce, left=left)
    at = "SELECT too_old_at > now() FROM ended_sessions WHERE nonce = :nonce"
    assert (rows.firsts(at, nonce="mine"), rows.firsts(at, nonce="gone")) == ([True], [False])
    assert len(rows.all(sessions.ENDED, nonce="mine")) == 1
    rows.all(sessions.FORGET)
    assert (
        len(rows.all(sessions.ENDED, nonce="gone")),
        len(rows.all(sessions.ENDED, nonce="mine")),
    ) == (0, 1)


def test_a_sheet_knows_the_last_verdict_and_the_one_it_was_made_of(rows: Rows) -> None:
    run = rows.run()
    known = list[int]()
    for job in (mine := rows.job(run, state="review"), rows.job(run, state="review")):
        known += [rows.insert("reviews", "id", job_id=job, verdict="reject", reason=f"{job} {n}",
                              reviewer="ada") for n in range(3)]  # fmt: skip
    said = sorted(row[2] for row in rows.all(verdict_sheets.SAID, job=mine, known=known[0]))
    assert said == [f"{mine} 0", f"{mine} 2"]
    said = sorted(row[2] for row in rows.all(verdict_sheets.SAID, job=mine, known=known[3]))
    assert said == [f"{mine} 2"]


def test_what_was_counted_is_of_claude_or_of_the_simulator(rows: Rows) -> None:
    rows.forget("counted_inputs")
    for simulated, tokens in ((False, 1), (True, 2)):
        rows.insert("counted_inputs", None, purpose="answer", model="m", prompt_version="p",
                    schema_version="s", simulated=simulated, tokens=tokens)  # fmt: skip
    for simulated, tokens in ((False, 1), (True, 2)):
        assert [row[4] for row in rows.all(counted.KNOWN, simulated=simulated)] == [tokens]


def test_a_run_is_taken_back_while_nothing_came_of_it(rows: Rows) -> None:
    # given
    mine, other, begun = rows.run(), rows.run(), rows.run()
    for run in (mine, other, begun):
        rows.insert("budgets", None, scope=f"run:{run}", run_id=run, cap=1)
    rows.insert("run_counts", None, run_id=begun, state="queued", tier="", jobs=1)
    # when
    for run in (mine, begun):
        rows.all(new_runs.FORGET_BUDGET, id=run)
    left = rows.firsts("SELECT run_id FROM budgets WHERE run_id IS NOT NULL")
    rows.forget("budgets")
    for run in (mine, begun):
        rows.all(new_runs.FORGET_RUN, id=run)
    # then
    assert left == [other, begun]
    assert rows.firsts("SELECT id FROM runs") == [other, begun]


def test_runs_and_their_policies_are_found_by_what_they_are_asked_by(rows: Rows) -> None:
    # given
    one, two, three = (rows.run(key=f"k{n}", policy=f'{{"of": {n}}}', prompts="{}")
                       for n in range(3))  # fmt: skip
    asked = rows.run(kind="judge")
    origins = [rows.job(run) for run in (one, two)]
    for run, origin in ((two, origins[0]), (three, origins[1])):
        rows.job(run, origin_id=origin)
    held = [rows.certificate(), rows.certificate()]
    for run, jobs in ((one, 3), (two, 5)):
        rows.insert("run_counts", None, run_id=run, state="dead", tier="", jobs=jobs)
    for version in ("p0", "p1"):
        rows.insert("prompts", None, version=version, purpose="answer", text=version)
    # then
    assert rows.firsts(runs.BY_KEY, key="k1") == [two]
    assert [row.id for row in rows.connection.execute(runs.BY_NAME, {"name": "run2"})] == [two]
    assert [row.name for row in rows.connection.execute(runs.BY_ID, {"id": two})] == ["run2"]
    assert rows.firsts(runs.RECENT_ANSWERING, asking=["judge"], limit=9) == ["run1", "run2", "run3"]
    assert [row[2] for row in rows.all(runs.ORIGIN, run=one)] == [4]
    assert rows.firsts(policies.READ, ids=[two, asked]) == [two, asked]
    assert rows.firsts(policies.STATES, ids=[held[1]]) == [held[1]]
    assert rows.firsts(policies.CERTIFICATE, id=held[1]) == [held[1]]
    assert rows.all(policies.ORIGIN_POLICIES, run=two) == [({"of": 0},)]
    assert rows.firsts(prompts.READ, versions=["p1"]) == ["p1"]


def test_jobs_are_listed_by_the_id_of_their_message(rows: Rows) -> None:
    mine, other = rows.message(external_id="mine"), rows.message(external_id="other")
    first, second = rows.run(), rows.run()
    jobs = [rows.job(run, mine) for run in (first, second)]
    rows.job(first, other)
    assert rows.firsts(listing.WITH_ID, external_id="mine", limit=9) == jobs
    assert rows.firsts(listing.WITH_ID, external_id="mine", limit=1) == jobs[1:]
