"""Each condition of erasure's statements, by rows of which each misses one."""

import datetime as dt

from tests.support.near_misses import PAST, Rows
from worker.store.actions import erasure, quoted_words, reviews
from worker.store.reading import review_queue


def test_old_messages_are_those_whose_jobs_have_all_ended(rows: Rows) -> None:
    run, then = rows.run(), "now() - interval '31 days'"
    old = rows.message(created_at=then)
    again = rows.message(created_at=then)
    rows.job(run, again, state="answered")
    for more in ({"created_at": "now() - interval '29 days'"}, {"erased_at": PAST}):
        rows.message(**{"created_at": then} | more)
    rows.job(run, rows.message(created_at=then))
    oldest = rows.message(created_at="now() - interval '32 days'")
    asked = {"age": dt.timedelta(days=30), "limit": 9}
    assert rows.all(erasure.OLDER, after=0, **asked) == [(oldest,), (old,), (again,)]
    assert rows.all(erasure.OLDER, after=oldest, **asked) == [(old,), (again,)]
    assert rows.firsts(erasure.OLDER, after=old, **asked) == [again]
    assert rows.firsts(erasure.OLDER, after=0, **asked | {"limit": 1}) == [oldest]


def test_ids_are_left_of_old_messages_that_were_erased(rows: Rows) -> None:
    then = "now() - interval '31 days'"
    one, two = (rows.message(created_at=then, erased_at=PAST) for _ in range(2))
    rows.message(created_at=then, erased_at=PAST, external_id="sha256:" + "0" * 32)
    rows.message(created_at=then)
    rows.message(created_at="now() - interval '29 days'", erased_at=PAST)
    asked = {"age": dt.timedelta(days=30), "limit": 9}
    assert rows.firsts(erasure.OLDER_IDS, after=0, **asked) == [one, two]
    assert rows.firsts(erasure.OLDER_IDS, after=one, **asked) == [two]


def test_messages_of_a_customer_or_an_id(rows: Rows) -> None:
    first, second = rows.message(customer_id="c"), rows.message(customer_id="c")
    rows.message(customer_id="d")
    assert rows.firsts(erasure.OF_CUSTOMER, customer="c", after=0, limit=9) == [first, second]
    assert rows.firsts(erasure.OF_CUSTOMER, customer="c", after=first, limit=9) == [second]
    one = rows.message(external_id="x", source="a")
    two = rows.message(external_id="x", source="b")
    three = rows.message(external_id="x", source="c", erased_at=PAST)
    asked = {"external": "x", "limit": 9, "with_ids": False}
    assert rows.firsts(erasure.OF_EXTERNAL_ID, source=None, after=0, **asked) == [one, two]
    assert rows.firsts(erasure.OF_EXTERNAL_ID, source="a", after=0, **asked) == [one]
    assert rows.firsts(erasure.OF_EXTERNAL_ID, source=None, after=one, **asked) == [two]
    named = asked | {"with_ids": True}
    assert rows.firsts(erasure.OF_EXTERNAL_ID, source=None, after=one, **named) == [two, three]


def test_erasure_counts_and_locks_the_jobs_of_its_messages(rows: Rows) -> None:
    run, message = rows.run(), rows.message()
    open_ = rows.job(run, message)
    done = rows.job(rows.run(), message, state="answered")
    other = rows.job(run)
    assert rows.all(erasure.COUNT, ids=[message]) == [(2, 1)]
    assert rows.firsts(erasure.LOCK_JOBS, ids=[message]) == [open_, done]
    rows.all(erasure.CANCEL, jobs=[open_, done])
    told = dict(rows.all("SELECT id, state FROM jobs"))
    assert told == {open_: "cancelled", done: "answered", other: "queued"}


def test_erasure_empties_what_is_said_and_no_more(rows: Rows) -> None:
    run = rows.run()
    messages = [rows.message(customer_id="c", subject="s") for _ in range(2)]
    jobs = [rows.routed(run, message) for message in messages]
    for job, message in zip(jobs, messages, strict=True):
        rows.attempt(job, hint='{"a": 1}', findings='[{"validator": "v", "finding": "f"}]')
        rows.attempt(job, fence=2, findings="[]")
        rows.attempt(job, fence=3, findings='[{"validator": "v", "finding": "f"}]')
        rows.attempt(job, fence=4, hint='{"a": 1}', findings="[]")
        rows.attempt(job, fence=5, context_digest="d", findings="[]")
        rows.call(job, output="said")
        rows.call(job, fence=2)
        rows.call(job, fence=3, error="bad: Where is my card?")
        rows.insert("results", None, job_id=job, fence=1, reply="r", fields='{"a": 1}',
                    tier="haiku", model="m", accepted=True)  # fmt: skip
        rows.insert("reviews", None, job_id=job, verdict="edit", reply="r", reviewer="ada")
        rows.insert("reviews", None, job_id=job, verdict="reject", reason="r", reviewer="ada")
        rows.insert("escalations", None, job_id=job, fence=1, from_tier="haiku", to_tier="opus",
                    reason="schema", detail="d")  # fmt: skip
        rows.insert("escalations", None, job_id=job, fence=2, from_tier="haiku", to_tier="opus",
                    reason="schema")  # fmt: skip
        for fence, state in ((1, "open"), (2, "graded"), (3, "judging")):
            rows.insert("audits", None, job_id=job, fence=fence, run_id=run, tier="haiku",
                        probability=0.1, state=state)  # fmt: skip
        rows.insert("contexts", None, message_id=message, digest="d", document="{}")
        digest = rows.one("SELECT digest FROM messages WHERE id = :id", id=message)[0]
        rows.insert("classifications", None, digest=digest, prompt_version="p", model="m",
                    difficulty="SIMPLE")  # fmt: skip
    changed = {}
    for table, statement in erasure.STATEMENTS.items():
        values = {"jobs": jobs[:1], "ids": messages[:1]}
        wanted = {name: values[name] for name in statement._bindparams}
        changed[table] = rows.connection.execute(statement, wanted).rowcount
    assert {name: changed[name] for name in changed if name in erasure.TABLES} | {} == {
        name: {"attempts": 4, "audits": 2, "calls": 2, "reviews": 2}.get(name, 1)
        for name in changed
    }
    left = ("SELECT job_id, fence FROM attempts WHERE hint IS NOT NULL OR findings::text LIKE"
            " '%\"f\"%'")  # fmt: skip
    assert {row[0] for row in rows.all(left)} == {jobs[1]}
    mine = "SELECT count(*) FROM attempts WHERE job_id = :id AND context_digest IS NOT NULL"
    assert (rows.one(mine, id=jobs[0]), rows.one(mine, id=jobs[1])) == ((0,), (1,))
    told = rows.all("SELECT reply, reason FROM reviews WHERE job_id = :id ORDER BY id", id=jobs[0])
    assert told == [("", None), (None, "")]


def test_ids_become_fingerprints_once(rows: Rows) -> None:
    mine, other = rows.message(external_id="x"), rows.message(external_id="y")
    told = "SELECT external_id FROM messages WHERE id = :id"
    rows.all(erasure.FINGERPRINT_IDS, ids=[mine])
    (once,) = rows.one(told, id=mine)
    assert once.startswith("sha256:")
    rows.all(erasure.FINGERPRINT_IDS, ids=[mine])
    assert (rows.one(told, id=mine), rows.one(told, id=other)) == ((once,), ("y",))


def test_what_was_said_is_looked_for_in_what_is_no_older_than_the_call(rows: Rows) -> None:
    words, calls = 'he said "my card"', "now() - interval '1 hour'"
    job = rows.routed(rows.run())
    rows.attempt(job)
    rows.call(job, error=f"bad: {words}", sent_at=calls)
    for at in ("now()", calls, "now() - interval '61 minutes'"):
        rows.all(
            "INSERT INTO audit_events (actor, action, target, at, detail) VALUES"
            f" ('a', 'pause', 't', {at}, jsonb_build_object('reason', 'why: ' || :words))"
            " RETURNING id",
            words=words,
        )
        rows.all(
            "INSERT INTO notices (key, kind, target, at, words) VALUES"
            f" (md5(random()::text), 'paused', 't', {at}, 'since ' || :words) RETURNING id",
            words=words,
        )
    quoted_words.take_out(rows.connection, [job])
    said = [one["reason"] for (one,) in rows.all("SELECT detail FROM audit_events ORDER BY id")]
    assert said == ["why: …", "why: …", f"why: {words}"]
    told = rows.all("SELECT words FROM notices ORDER BY id")
    assert told == [("since …",), ("since …",), (f"since {words}",)]


def test_what_was_said_of_calls_is_taken_out_of_their_jobs(rows: Rows) -> None:
    run = rows.run()
    jobs = [rows.routed(run, reason=f"{why}: Where is my card?") for why in ("a", "b")]
    for job, error in zip(jobs, ("bad: Where is my card?", "bad: and mine, please?"), strict=True):
        rows.attempt(job)
        rows.call(job, error=error)
        rows.call(job, purpose="check", error="bad: no")
    assert rows.firsts(quoted_words.SAID, jobs=jobs[:1], least=8) == ["Where is my card?"]
    named = {"said": "Where is my card?", "jobs": jobs[:1]}
    assert rows.connection.execute(quoted_words.OF_JOBS, named | {"said": "nothing"}).rowcount == 0
    rows.all(quoted_words.OF_JOBS, **named)
    told = dict(rows.all("SELECT id, reason FROM jobs"))
    assert told == {jobs[0]: "a: …", jobs[1]: "b: Where is my card?"}


def test_what_waited_for_a_person_and_was_erased_waits_no_longer(rows: Rows) -> None:
    run = rows.run()
    waiting, decided, other = (rows.job(run, state="review") for _ in range(3))
    answered = rows.job(run, state="answered")
    rows.insert("reviews", None, job_id=decided, verdict="edit", reply="", reviewer="bob")
    rows.all(reviews.REJECT_ERASED, jobs=[waiting, decided, answered], by="ada")
    said = rows.all("SELECT job_id, verdict, reviewer FROM reviews ORDER BY id")
    assert said == [(decided, "edit", "bob"), (waiting, "reject", "ada")]
    for_people = review_queue.count_reviews(rows.connection, review_queue.ReviewScope(run_id=run))
    assert (for_people.total, for_people.waiting) == (3, 1)
    after = review_queue.next_review(rows.connection, review_queue.ReviewScope(run_id=run), None)
    assert after == (run, other)
