"""Each condition of the statements of deliveries, by rows of which each misses one."""

import datetime as dt

import pytest

from tests.support.near_misses import FUTURE, PAST, Rows
from worker.store.queue import deliveries

SOON = "now() + interval '60 seconds'"


def target(rows: Rows, name: str = "crm", **columns: object) -> str:
    rows.insert("delivery_targets", None, name=name, **columns)
    return name


def delivery(rows: Rows, name: str, **columns: object) -> int:
    """Of a job of its own, which is returned."""
    job = columns.pop("job", None) or rows.job(rows.run(), state="answered")
    if columns.get("state", "waiting") != "waiting":
        columns.setdefault("ended_at", "now()")
    rows.insert("deliveries", None, target=name, job_id=job, **columns)
    assert isinstance(job, int)
    return job


def states(rows: Rows) -> dict[int, str]:
    return dict(rows.all("SELECT job_id, state FROM deliveries"))


def test_whether_anything_is_to_be_delivered(rows: Rows) -> None:
    assert rows.one(str(deliveries.ANY)) == (False,)
    target(rows, "old", enabled=False)
    assert rows.one(str(deliveries.ANY)) == (False,)
    target(rows, "new")
    assert rows.one(str(deliveries.ANY)) == (True,)


def test_targets_are_announced_and_retired(rows: Rows) -> None:
    target(rows, "back", enabled=False)
    target(rows, "kept")
    target(rows, "gone")
    target(rows, "before", enabled=False)
    asked = {"names": ["back", "kept", "new"], "simulated": [False, True, False]}
    rows.all(deliveries.ANNOUNCE, **asked)
    rows.all(deliveries.RETIRE, names=asked["names"])
    told = rows.all("SELECT name, enabled, simulated FROM delivery_targets ORDER BY name")
    assert told == [
        ("back", True, False),
        ("before", False, False),
        ("gone", False, False),
        ("kept", True, True),
        ("new", True, False),
    ]
    before = rows.all("SELECT name, xmin FROM delivery_targets WHERE name = 'kept'")
    assert rows.connection.execute(deliveries.ANNOUNCE, asked).rowcount == 0
    assert rows.connection.execute(deliveries.RETIRE, {"names": asked["names"]}).rowcount == 0
    assert rows.all("SELECT name, xmin FROM delivery_targets WHERE name = 'kept'") == before


def test_what_is_due_is_taken_once(rows: Rows) -> None:
    target(rows)
    target(rows, "other")
    target(rows, "paused", paused_at=PAST)
    later = delivery(rows, "crm", next_try_at=PAST, tries=2)
    first = delivery(rows, "crm", next_try_at="now() - interval '2 hours'")
    delivery(rows, "crm", next_try_at=FUTURE)
    delivery(rows, "crm", next_try_at=PAST, state="delivered")
    delivery(rows, "other", next_try_at=PAST)
    delivery(rows, "paused", next_try_at=PAST)
    delivery(rows, "other", job=first, next_try_at=PAST)
    asked = {"targets": ["crm", "paused"], "lease": 60}
    assert rows.all(deliveries.TAKE, **asked, limit=1) == [("crm", first, 1, 1)]
    assert rows.all(deliveries.TAKE, **asked, limit=9) == [("crm", later, 1, 3)]
    assert rows.all(deliveries.TAKE, **asked, limit=9) == []
    waits = "SELECT count(*) FROM deliveries WHERE next_try_at = now() + interval '60 seconds'"
    assert rows.one(waits) == (2,)


@pytest.mark.parametrize(
    ("accepted", "action", "verdicts", "verdict", "send"),
    [
        (True, None, [], "accepted", "Model."),
        (True, "none", [], "accepted", None),
        (False, None, [], None, None),
        (False, "none", ["accept"], "accept", "Model."),
        (False, None, ["accept", "edit"], "edit", "Ours."),
        (True, None, ["edit", "accept"], "accept", "Model."),
    ],
)
def test_what_is_sent(
    rows: Rows,
    accepted: bool,
    action: str | None,
    verdicts: list[str],
    verdict: str | None,
    send: str | None,
) -> None:
    job = rows.job(rows.run(), state="answered" if accepted else "review")
    fields = "{}" if action is None else f'{{"action": "{action}"}}'
    result(rows, job, accepted=accepted, fields=fields)
    for said in verdicts:
        rows.insert("reviews", None, job_id=job, verdict=said, reviewer="ada",
                    reply="Ours." if said == "edit" else None)  # fmt: skip
    other = rows.job(rows.run(), state="review")
    result(rows, other)
    rows.insert("reviews", None, job_id=other, verdict="reject", reviewer="ada", reason="no")
    (sent,) = rows.connection.execute(deliveries.CONTENTS, {"ids": [job]}).mappings().all()
    assert (sent["job"], sent["verdict"], sent["send"]) == (job, verdict, send)


def result(rows: Rows, job: int, **columns: object) -> None:
    rows.attempt(job, outcome="accepted")
    known = {"fence": 1, "reply": "Model.", "tier": "haiku", "model": "m", "accepted": True}
    rows.insert("results", None, job_id=job, **known | columns)


def test_what_is_not_sent(rows: Rows) -> None:
    rejected = rows.job(rows.run(), state="review")
    erased = rows.job(rows.run(), rows.message(erased_at=PAST), state="answered")
    empty = rows.job(rows.run(), state="dead")
    for job in (rejected, erased):
        result(rows, job)
    rows.insert("reviews", None, job_id=rejected, verdict="reject", reviewer="ada", reason="no")
    assert rows.all(deliveries.CONTENTS, ids=[rejected, erased, empty]) == []


def test_the_end_of_one_delivery_is_of_that_alone(rows: Rows) -> None:
    target(rows)
    target(rows, "other")
    mine = delivery(rows, "crm", revision=2)
    delivery(rows, "other", job=mine, revision=2)
    next_ = delivery(rows, "crm", revision=2)
    done = delivery(rows, "crm", revision=2, state="withdrawn")
    told = {"state": "delivered", "error": None, "target": "crm"}
    assert rows.connection.execute(
        deliveries.END, told | {"job": mine, "revision": 1}).rowcount == 0  # fmt: skip
    assert rows.connection.execute(
        deliveries.END, told | {"job": done, "revision": 2}).rowcount == 0  # fmt: skip
    assert rows.connection.execute(
        deliveries.END, told | {"job": mine, "revision": 2}).rowcount == 1  # fmt: skip
    assert states(rows)[next_] == "waiting"
    assert rows.one("SELECT count(*) FROM deliveries WHERE state = 'delivered'") == (1,)


def test_a_failure_is_tried_again_until_it_is_too_old(rows: Rows) -> None:
    target(rows)
    target(rows, "other")
    young = delivery(rows, "crm", created_at=PAST)
    old = delivery(rows, "crm", created_at="now() - interval '3 hours'")
    done = delivery(rows, "crm", state="delivered")
    beside = delivery(rows, "crm")
    delivery(rows, "other", job=young)
    told = {"error": "503", "again": 60, "after": dt.timedelta(hours=2), "target": "crm"}
    wrong = told | {"job": young, "revision": 2}
    assert rows.all(deliveries.FAILED, **wrong) == []
    assert rows.all(deliveries.FAILED, **told, job=done, revision=1) == []
    assert rows.all(deliveries.FAILED, **told, job=young, revision=1) == [("waiting",)]
    assert rows.all(deliveries.FAILED, **told, job=old, revision=1) == [("dead",)]
    assert rows.one("SELECT count(*) FROM deliveries WHERE error IS NOT NULL") == (2,)
    assert rows.all(
        "SELECT job_id, next_try_at = now() + interval '60 seconds', ended_at IS NULL"
        " FROM deliveries WHERE target = 'crm' AND error = '503' ORDER BY job_id"
    ) == [(young, True, True), (old, True, False)]
    assert states(rows)[beside] == "waiting"


def test_pauses_and_what_waits_behind_them(rows: Rows) -> None:
    target(rows)
    target(rows, "other")
    paused = {"by": "ada", "reason": "new address"}
    assert rows.connection.execute(deliveries.RESUME, {"name": "crm"}).rowcount == 0
    assert rows.connection.execute(deliveries.PAUSE, {"name": "crm", **paused}).rowcount == 1
    assert rows.connection.execute(deliveries.PAUSE, {"name": "crm", **paused}).rowcount == 0
    assert rows.firsts("SELECT name FROM delivery_targets WHERE paused_at IS NULL") == ["other"]
    rows.connection.execute(deliveries.PAUSE, {"name": "other", **paused})
    assert rows.connection.execute(deliveries.RESUME, {"name": "crm"}).rowcount == 1
    assert rows.firsts("SELECT name FROM delivery_targets WHERE paused_at IS NULL") == ["crm"]
    late = delivery(rows, "crm", next_try_at=FUTURE)
    delivery(rows, "crm", next_try_at=SOON)
    delivery(rows, "crm", next_try_at=FUTURE, state="delivered")
    delivery(rows, "other", next_try_at=FUTURE)
    rows.all(deliveries.DUE_NOW, name="crm")
    assert rows.all("SELECT job_id FROM deliveries WHERE next_try_at = now()") == [(late,)]


def test_how_the_targets_stand(rows: Rows) -> None:
    target(rows)
    target(rows, "quiet")
    delivery(rows, "crm", created_at=PAST, error="503")
    delivery(rows, "crm")
    delivery(rows, "crm", state="dead")
    delivery(rows, "crm", state="delivered", created_at="now() - interval '9 hours'")
    stand = rows.connection.execute(deliveries.STANDING).mappings().all()
    assert [
        (one["name"], one["waiting"], one["oldest_s"], one["error"], one["dead"]) for one in stand
    ] == [("crm", 2, 3600.0, "503", 1), ("quiet", 0, None, None, 0)]
