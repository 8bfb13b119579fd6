"""Each condition of the statements that write a run's results, a part of them at a time."""

from typing import Any

import pytest

from tests.support.near_misses import Rows
from worker.store.reading import results
from worker.store.reading.results import Only

OF_THIS_STATE = (None, Only.ANSWERED, Only.REVIEW, Only.DEAD)
SENT = {"accepted": "said", "nothing to say": None, "left": None, "taken": "said", "edited": "mine",
        "rejected": None, "erased": None, "silent": None, "reasoned": "said"}  # fmt: skip
"""What may go out of each kind of job, in the order in which they are made."""


def made(rows: Rows, run: int, state: str) -> dict[str, int]:
    """A job of each kind, all of them in this state."""
    jobs = dict[str, int]()
    for kind in SENT:
        erased = "now()" if kind == "erased" else None
        message = rows.message(erased_at=erased, metadata=f'{{"{kind}": 1}}')
        reason = None if kind == "reasoned" else f"came of {kind}"
        jobs[kind] = job = rows.job(run, message, state=state, reason=reason)
        if kind == "silent":
            continue
        action = "none" if kind == "nothing to say" else "reply"
        sources = '["p1", "p2"]' if kind == "accepted" else '"p1"'
        rows.attempt(job, outcome="accepted")
        rows.insert("results", None, job_id=job, fence=1, reply="said", tier="haiku", model="m",
                    accepted=kind not in ("left", "taken"), reasons=[f"r of {kind}"],
                    fields=f'{{"action": "{action}", "sources": {sources}}}')  # fmt: skip
        for verdict in {"taken": ["reject", "accept"], "edited": ["edit"],
                        "rejected": ["reject"]}.get(kind, []):  # fmt: skip
            said = {"reply": "mine"} if verdict == "edit" else {"reason": "r"}
            rows.insert("reviews", None, job_id=job, verdict=verdict, reviewer="ada", **said)
    return jobs


def written(rows: Rows, only: Only | None, run: int, **asked: Any) -> list[Any]:
    values = {"run": run, "after": None, "limit": 99} | asked
    return list(rows.connection.execute(results.RESULTS[only], values).mappings())


@pytest.fixture
def runs(rows: Rows) -> tuple[int, int, int]:
    """The one that is asked for is between two others."""
    return rows.run(), rows.run(), rows.run()


@pytest.mark.parametrize("only", OF_THIS_STATE)
@pytest.mark.parametrize("state", ["answered", "review", "dead"])
def test_what_is_written_of_each_kind_of_job(
    rows: Rows, runs: tuple[int, int, int], only: Only | None, state: str
) -> None:
    # given
    _, mine, _ = (made(rows, run, state) for run in runs)
    # when
    found = written(rows, only, runs[1])
    # then
    if only is not None and only != state:
        assert found == []
        return
    assert {row["job"]: row["send"] for row in found} == {mine[k]: SENT[k] for k in SENT}
    assert [row["job"] for row in found] == list(mine.values())
    of = dict(zip(SENT, found, strict=True))
    assert of["accepted"]["sources"] == ["p1", "p2"]
    assert of["taken"]["sources"] is None
    ended = state in ("review", "dead")
    assert of["taken"]["reasons"] == (["came of taken"] if ended else ["r of taken"])
    assert of["reasoned"]["reasons"] == ["r of reasoned"]
    assert [row["own"] for row in found] == [{kind: 1} for kind in SENT]


def test_ready_is_what_may_go_out(rows: Rows, runs: tuple[int, int, int]) -> None:
    # given
    _, mine, _ = (made(rows, run, "review") for run in runs)
    open_again = rows.job(runs[1], state="routed", tier="haiku", reason="r")
    rows.attempt(open_again, outcome="accepted")
    rows.insert("results", None, job_id=open_again, fence=1, reply="said", tier="haiku", model="m",
                accepted=True)  # fmt: skip
    answered = rows.answered(runs[1])
    rows.connection.exec_driver_sql("UPDATE jobs SET reason = 'climbed' WHERE state = 'answered'")
    # when
    found = written(rows, Only.READY, runs[1])
    # then
    kinds = {mine[kind]: SENT[kind] for kind in ("accepted", "taken", "edited", "reasoned")}
    assert {row["job"]: row["send"] for row in found} == {**kinds, answered: f"reply {answered}"}
    of = {row["job"]: row for row in found}
    assert of[mine["taken"]]["reasons"] == ["came of taken"]
    assert of[mine["reasoned"]]["reasons"] == ["r of reasoned"]
    assert of[answered]["reasons"] == []
    assert of[mine["accepted"]]["sources"] == ["p1", "p2"]
    assert of[mine["taken"]]["sources"] is None


@pytest.mark.parametrize("only", [*OF_THIS_STATE, Only.READY])
def test_a_page_goes_on_behind_a_job(
    rows: Rows, runs: tuple[int, int, int], only: Only | None
) -> None:
    # given
    state = only if only in (Only.REVIEW, Only.DEAD) else "answered"
    mine = list(made(rows, runs[1], state).values())
    whole = [row["job"] for row in written(rows, only, runs[1])]
    # when
    first = written(rows, only, runs[1], limit=2)
    after = written(rows, only, runs[1], after=mine[1])
    # then
    assert [row["job"] for row in first] == whole[:2]
    assert [row["job"] for row in after] == [job for job in whole if job > mine[1]]
    assert results.is_of_run(rows.connection, runs[1], mine[0])
    rows.job(runs[0])
    assert not results.is_of_run(rows.connection, runs[0], mine[0])


def test_the_columns_of_a_file_are_those_of_its_run(rows: Rows, runs: tuple[int, int, int]) -> None:
    # given
    known = rows.run(own_columns=["b", "a"], columns_known=True)
    of_none = rows.run(columns_known=True)
    mine = made(rows, runs[1], "dead")
    rows.job(runs[0], rows.message(metadata='{"of another": 1}'))
    # then
    assert results.own_columns(rows.connection, known) == ["b", "a"]
    assert results.own_columns(rows.connection, of_none) == []
    assert results.own_columns(rows.connection, runs[1]) == sorted(mine)
