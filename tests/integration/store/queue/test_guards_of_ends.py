"""Each condition of the statements around a run's end: notices, finished runs, verdicts that are
taken back, jobs whose worker died, claims that were not heard of."""

import datetime as dt

import pytest

from tests.support.near_misses import FUTURE, PAST, Rows
from worker.store.actions import reviews, verdict_sheets
from worker.store.queue import notices, run_ends, run_intake, suspects, unheard_claims
from worker.store.queue.notices import Way

MARK = dt.datetime(2026, 1, 1, tzinfo=dt.UTC)


def notice(rows: Rows, **columns: object) -> int:
    rows.made += 1
    known = {"key": f"k{rows.made}", "kind": "paused", "target": "haiku", "words": "w"}
    return rows.insert("notices", "id", **known | columns)


@pytest.mark.parametrize("way", list(Way))
def test_what_is_to_be_told_now(rows: Rows, way: Way) -> None:
    def made(**columns: object) -> int:
        if way is Way.WEBHOOK:
            return notice(rows, **columns)
        one = notice(rows, **{key: columns.pop(key) for key in ("at",) if key in columns})
        rows.insert("notice_mails", None, notice_id=one, **columns)
        return one

    late = made(next_try_at="now() - interval '1 minute'")
    first = made(next_try_at=PAST, tries=2)
    made(next_try_at=FUTURE)
    made(next_try_at=PAST, ended_at=PAST)
    made(next_try_at=PAST, at="now() - interval '3 hours'")
    asked = {"fresh": 7200.0, "mark": MARK}
    taken = [rows.all(notices.TAKE[way], **asked) for _ in range(3)]
    assert [(one[0][0], one[0][-1]) for one in taken[:2]] == [(first, 3), (late, 1)]
    assert taken[2] == []
    table, key = ("notices", "id") if way is Way.WEBHOOK else ("notice_mails", "notice_id")
    assert rows.firsts(f"SELECT {key} FROM {table} WHERE next_try_at = :mark", mark=MARK) == [
        late, first
    ]  # fmt: skip
    rows.all(notices.FAILED[way], id=first, error="503", again=60.0)
    rows.all(notices.FAILED[way], id=late, error="gone", again=None)
    told = rows.all(
        f"SELECT {key}, error, ended_at IS NULL, next_try_at = now() + interval '60 seconds'"
        f" FROM {table} WHERE error IS NOT NULL ORDER BY error"
    )
    assert told == [(first, "503", True, True), (late, "gone", False, False)]


@pytest.mark.parametrize("way", list(Way))
def test_what_was_taken_unheard_is_given_back(rows: Rows, way: Way) -> None:
    table, key = ("notices", "id") if way is Way.WEBHOOK else ("notice_mails", "notice_id")
    found = [notice(rows) for _ in range(3)]
    if way is Way.MAIL:
        rows.all(notices.TO_MAIL, fresh=7200.0)
    rows.all(f"UPDATE {table} SET tries = 1, next_try_at = :mark", mark=MARK)
    rows.all(f"UPDATE {table} SET ended_at = now() WHERE {key} <> :open", open=found[2])
    rows.all(f"UPDATE {table} SET next_try_at = now() WHERE {key} = :sent", sent=found[1])
    rows.all(notices.GIVE_BACK[way], mark=MARK)
    told = rows.all(f"SELECT ended_at IS NULL, tries FROM {table} ORDER BY {key}")
    assert told == [(True, 0), (False, 1), (True, 1)]


def test_each_fresh_notice_gets_a_mail_once(rows: Rows) -> None:
    fresh, mailed = notice(rows), notice(rows)
    notice(rows, at="now() - interval '3 hours'")
    rows.insert("notice_mails", None, notice_id=mailed, tries=1)
    for _ in range(2):
        rows.all(notices.TO_MAIL, fresh=7200.0)
    told = rows.all("SELECT notice_id, tries FROM notice_mails ORDER BY 1")
    assert told == [(fresh, 0), (mailed, 1)]


def count(rows: Rows, run: int, state: str, jobs: int) -> None:
    rows.insert("run_counts", None, run_id=run, state=state, tier="", jobs=jobs)


def test_a_run_ends_when_nothing_of_it_is_open(rows: Rows) -> None:
    ended, paused = rows.run(), rows.run(state="paused")
    rows.run(accepting=True)
    rows.run(state="finished", finished_at=PAST)
    rows.run(state="cancelled")
    rows.run(state="finished")
    rows.run(finished_at=PAST)
    for state in ("queued", "routed", "submitted"):
        count(rows, rows.run(), state, 1)
    count(rows, ended, "queued", 0)
    count(rows, ended, "answered", 3)
    assert rows.firsts(run_ends.FINISH) == [ended, paused]


def test_what_is_told_of_an_end(rows: Rows) -> None:
    run, other = rows.run(), rows.run()
    for number, state in enumerate(("answered", "review", "dead", "cancelled", "queued"), 1):
        count(rows, run, state, number)
        count(rows, other, state, 10)
    rows.insert("budgets", None, scope=f"run:{run}", run_id=run, spent=2, cap=9)
    rows.insert("budgets", None, scope=f"run:{other}", run_id=other, spent=5, cap=9)
    told = rows.all(run_ends.ENDED, id=run)
    assert [(*map(int, one[:5]), one[5]) for one in told] == [(1, 2, 3, 4, 2, False)]


def test_a_job_whose_worker_died_is_a_suspect(rows: Rows) -> None:
    lost, fine = rows.routed(rows.run()), rows.routed(rows.run())
    rows.attempt(lost, outcome="lost")
    rows.attempt(lost, fence=2, outcome="rejected")
    rows.attempt(fine, outcome="rejected")
    rows.attempt(fine, fence=2, outcome="lost")
    told = [{"job_id": job, "fence": 1} for job in (lost, fine)]
    assert rows.firsts(suspects.LOST, rows=told) == [lost]


@pytest.mark.parametrize(
    ("before", "now", "worker", "batch", "may"),
    [
        ("lost", "started", "me", False, False),
        ("lost", "started", "other", False, True),
        ("lost", "rejected", "me", False, True),
        ("rejected", "started", "me", False, True),
        ("lost", "started", "me", True, True),
    ],
)
def test_a_worker_takes_one_suspect_at_a_time(
    rows: Rows, before: str, now: str, worker: str, batch: bool, may: bool
) -> None:
    job = rows.routed(rows.run(), fence=3)
    rows.attempt(job, fence=1, outcome="rejected" if before == "lost" else "lost")
    rows.attempt(job, fence=2, outcome=before)
    number = rows.batch() if batch else None
    rows.attempt(job, fence=3, outcome=now, worker=worker, batch_id=number)
    other = rows.routed(rows.run())
    rows.attempt(other, fence=2, outcome="lost", worker="me")
    assert rows.one(suspects.MAY_TAKE_ONE.text.replace(":worker", "'me'")) == (may,)


def test_a_claim_that_was_not_heard_of(rows: Rows) -> None:
    run = rows.run()
    mine, not_asked = rows.routed(run), rows.routed(run)
    others, ended, later = rows.routed(run), rows.routed(run), rows.routed(run, fence=2)
    for job, columns in (
        (mine, {}), (not_asked, {}), (others, {"worker": "other"}),
        (ended, {"outcome": "rejected"}), (later, {}),
    ):  # fmt: skip
        rows.attempt(job, **columns)
    at_claude = rows.sent(run, rows.batch())
    asked = [mine, others, ended, later, at_claude]
    assert rows.all(unheard_claims.UNHEARD, ids=asked, worker="me") == [(mine, 1)]


def delivered(rows: Rows, job: int, target: str, **columns: object) -> None:
    if columns.get("state", "waiting") != "waiting":
        columns.setdefault("ended_at", "now()")
    rows.insert("deliveries", None, target=target, job_id=job, **columns)


def test_what_a_verdict_let_go_is_withdrawn(rows: Rows) -> None:
    rows.insert("delivery_targets", None, name="a")
    rows.insert("delivery_targets", None, name="b")
    run = rows.run()
    mine, other = rows.job(run, state="review"), rows.job(run, state="review")
    delivered(rows, mine, "a")
    delivered(rows, mine, "b", created_at="now() - interval '2 hours'")
    delivered(rows, other, "a")
    rows.insert("delivery_targets", None, name="c")
    delivered(rows, mine, "c", state="dead")
    (since,) = rows.one("SELECT now() - interval '1 hour'")
    rows.all(reviews.WITHDRAW, job=mine, since=since)
    told = rows.all("SELECT job_id, target FROM deliveries WHERE state = 'withdrawn'")
    assert told == [(mine, "a")]


def test_what_a_rejection_withdrew_is_restored(rows: Rows) -> None:
    for name in ("a", "b", "c"):
        rows.insert("delivery_targets", None, name=name)
    run = rows.run()
    mine, other = rows.job(run, state="review"), rows.job(run, state="review")
    delivered(rows, mine, "a", state="withdrawn", next_try_at="now() + interval '1 hour'")
    delivered(rows, mine, "b", state="withdrawn", ended_at="now() - interval '2 hours'")
    delivered(rows, mine, "c", state="dead")
    delivered(rows, other, "a", state="withdrawn")
    (since,) = rows.one("SELECT now() - interval '1 hour'")
    rows.all(reviews.RESTORE, job=mine, since=since)
    told = rows.all("SELECT job_id, target FROM deliveries"
                    " WHERE state = 'waiting' AND next_try_at = now()")  # fmt: skip
    assert told == [(mine, "a")]


@pytest.mark.parametrize(
    ("columns", "gone"),
    [
        ({"tries": 1}, True),
        ({"tries": 0}, False),
        ({"state": "dead", "tries": 1}, False),
        ({"state": "delivered", "ended_at": "now()"}, True),
        ({"state": "delivered", "ended_at": "now() - interval '2 hours'"}, False),
        ({"state": "dead"}, False),
        (None, False),
    ],
)
def test_whether_a_verdict_has_gone_out(
    rows: Rows, columns: dict[str, object] | None, gone: bool
) -> None:
    rows.insert("delivery_targets", None, name="a")
    run = rows.run()
    mine, other = rows.job(run, state="review"), rows.job(run, state="review")
    if columns is not None:
        delivered(rows, mine, "a", **columns)
    delivered(rows, other, "a", tries=1)
    (since,) = rows.one("SELECT now() - interval '1 hour'")
    assert rows.all(reviews.GONE_OUT, job=mine, since=since) == [(gone,)]


def test_verdicts_of_a_job(rows: Rows) -> None:
    run, erased = rows.run(), rows.message(erased_at=PAST)
    mine, other = rows.job(run, state="review"), rows.job(run, state="review")
    elsewhere = rows.job(rows.run(), state="review")
    rows.job(run, erased, state="review")
    rows.job(run, state="answered")
    said = ((mine, "reject", "ada"), (mine, "accept", "ada"), (elsewhere, "accept", "bob"))
    for job, verdict, who in said:
        rows.insert("reviews", None, job_id=job, verdict=verdict, reviewer=who, reason="r")
    assert rows.all(verdict_sheets.SAID, job=mine, known=None) == [("accept", None, "r")]
    assert [one[1:3] for one in rows.all(reviews.LATEST_OF, job=mine)] == [("accept", "ada")]
    assert rows.all(reviews.HAS_RESULT, job=mine) == []
    assert rows.all(reviews.STATE, job=mine) == [("review",)]
    assert rows.firsts(reviews.WAITING, run=None, decided=False) == [other]
    assert rows.firsts(reviews.WAITING, run=run, decided=True) == [mine, other]
    (waiting,) = [w for w in rows.all(reviews.WAITING, run=run, decided=True) if w[0] == mine]
    assert "accept" in waiting
    assert rows.firsts(reviews.WAITING, run=None, decided=True) == [mine, other, elsewhere]
    newest = rows.one("SELECT max(id) FROM reviews WHERE verdict = 'reject'")[0]
    rows.all(reviews.FORGET, id=newest)
    assert rows.one("SELECT count(*) FROM reviews") == (2,)


def test_a_verdict_that_is_taken_back_no_longer_counts(rows: Rows) -> None:
    run, another = rows.run(), rows.run()
    mine, beside = rows.job(run, state="review"), rows.job(run, state="review")
    elsewhere = rows.job(another, state="review")
    for job, verdict in (
        (mine, "reject"), (mine, "accept"), (elsewhere, "accept"), (beside, "accept"),
    ):  # fmt: skip
        rows.insert("reviews", None, job_id=job, verdict=verdict, reviewer="ada", reason="r")
    counted = "SELECT run_id, verdict, jobs FROM run_verdicts WHERE jobs > 0 ORDER BY 1, 2"
    assert rows.all(counted) == [(run, "accept", 2), (another, "accept", 1)]
    latest = rows.all(reviews.LATEST_OF, job=mine)[0][0]
    rows.all(reviews.FORGET, id=latest)
    rows.all(reviews.UNCOUNT, job=mine, verdict="accept")
    assert rows.all(counted) == [(run, "accept", 1), (run, "reject", 1), (another, "accept", 1)]


@pytest.mark.parametrize(
    ("mine", "simulated", "calls", "told"),
    [
        (True, True, 1, True),
        (True, True, 0, False),
        (True, False, 1, False),
        (False, True, 1, False),
    ],
)
def test_an_end_says_whether_anything_was_simulated(
    rows: Rows, mine: bool, simulated: bool, calls: int, told: bool
) -> None:
    run, other = rows.run(), rows.run()
    kind = {"tier": "haiku", "lane": "realtime", "purpose": "answer", "model": "m"}
    rows.insert("run_spend", None, run_id=run if mine else other, simulated=simulated,
                calls=calls, state="done", **kind)  # fmt: skip
    assert rows.all(run_ends.ENDED, id=run)[0][5] is told


def test_what_came_into_a_run_after_its_cancelling_is_ended(rows: Rows) -> None:
    """Where whoever submitted it died: nobody claims it, and nobody else would end it."""
    run = rows.run(state="cancelled", finished_at=PAST)
    others = [
        rows.job(rows.run(state="cancelled", finished_at="now() - interval '4 minutes'")),
        rows.job(rows.run()),
        rows.job(rows.run(state="paused")),
        rows.job(rows.run(state="finished", finished_at=PAST)),
    ]
    came, held = [rows.job(run) for _ in range(3)], rows.routed(run, lease_until=FUTURE)
    dispatched = rows.job(run, dispatched_at=PAST)
    done = rows.answered(run)
    rows.all(run_intake.END_LEFT_OPEN, group=2)
    ended = "SELECT id FROM jobs WHERE state = 'cancelled' AND finished_at IS NOT NULL"
    assert rows.firsts(ended) == came[:2]
    rows.all(run_intake.END_LEFT_OPEN, group=9)
    assert rows.firsts(ended) == came
    still = "SELECT id FROM jobs WHERE state <> 'cancelled'"
    assert rows.firsts(still) == sorted([*others, held, dispatched, done])
