"""Which words go out where people say more than one thing of an answer."""

import datetime as dt

import pytest
from sqlalchemy import Engine

from models.vocabulary import Verdict
from tests.support.promises import ME, do, many
from tests.support.works import hand_in, settings_for
from worker.errors import RungError
from worker.store.actions.erasure import erase, of_external_id
from worker.store.actions.reviews import GONE_OUT, Judged, give_verdict, take_back
from worker.store.queue import deliveries

DESK = "desk"
FOR_A_PERSON = """
UPDATE jobs SET state = 'review', tier = 'opus', reason = 'low_confidence', finished_at = now();
INSERT INTO attempts (job_id, fence, stage, tier, lane, outcome, reasons, policy_version,
  budget_day, available_at, finished_at)
SELECT id, 1, 'answer', 'opus', 'realtime', 'rejected', '{low_confidence}', 'v', current_date,
  now(), now() FROM jobs;
INSERT INTO results (job_id, fence, reply, tier, model, accepted)
SELECT id, 1, 'The model''s.', 'opus', 'm', false FROM jobs;
"""
ACCEPT = Judged(job_id=1, verdict=Verdict.ACCEPT)
EDIT = Judged(job_id=1, verdict=Verdict.EDIT, reply="Better.")
REJECT = Judged(job_id=1, verdict=Verdict.REJECT, reason="no")


@pytest.fixture(autouse=True)
def one_in_review(engine: Engine) -> None:
    hand_in(engine, settings_for("", ""), ["My words"])
    do(engine, FOR_A_PERSON)
    deliveries.announce(engine, {DESK: True})


def sent(engine: Engine) -> list[tuple[int, str]]:
    """The revision and the words of what is posted now; it arrives."""
    found = []
    for due in deliveries.take(engine, [DESK], 8):
        found.append((due.revision, deliveries.contents(engine, [1])[1].send))
        deliveries.delivered(engine, due)
    return found


def later(engine: Engine, seconds: int) -> None:
    do(engine, f"UPDATE deliveries SET next_try_at = next_try_at - interval '{seconds} seconds'")


def test_a_word_that_comes_while_another_is_on_its_way_goes_out_after_it(engine: Engine) -> None:
    # given
    give_verdict(engine, ME, ACCEPT)
    (on_its_way,) = deliveries.take(engine, [DESK], 8)
    # when
    give_verdict(engine, ME, EDIT)
    # then not beside it, and it can no longer be taken back
    assert sent(engine) == []
    deliveries.delivered(engine, on_its_way)
    with pytest.raises(RungError, match="cannot be taken back"):
        take_back(engine, ME, 1)
    later(engine, 90)
    assert sent(engine) == [(2, "Better.")]
    assert sent(engine) == []


def test_a_word_that_comes_while_another_waits_to_be_tried_again_is_another_delivery(
    engine: Engine,
) -> None:
    give_verdict(engine, ME, ACCEPT)
    (tried,) = deliveries.take(engine, [DESK], 8)
    deliveries.failed(engine, tried, "TimeoutError", 3_600)
    give_verdict(engine, ME, EDIT)
    assert [tuple(row) for row in many(engine, "SELECT tries, error FROM deliveries")] == [
        (1, None)
    ]
    later(engine, 90)
    assert sent(engine) == [(2, "Better.")]


@pytest.mark.parametrize("word", [EDIT, REJECT])
def test_a_word_that_is_taken_back_leaves_what_the_one_before_it_sends(
    engine: Engine, word: Judged
) -> None:
    give_verdict(engine, ME, ACCEPT)
    give_verdict(engine, ME, word)
    take_back(engine, ME, 1)
    assert sent(engine) == [(1, "The model's.")]
    # what went out before does not go out again
    give_verdict(engine, ME, word)
    take_back(engine, ME, 1)
    assert sent(engine) == []


def test_nothing_is_sent_while_a_word_is_being_taken_back(engine: Engine) -> None:
    give_verdict(engine, ME, ACCEPT)
    with engine.begin() as connection:
        connection.execute(GONE_OUT, {"job": 1, "since": dt.datetime.now(dt.UTC)})
        assert sent(engine) == []
    assert len(sent(engine)) == 1


def test_what_is_erased_waits_for_nobody_and_is_not_sent(engine: Engine) -> None:
    erase(engine, ME, of_external_id("run-0", None))
    said = many(engine, "SELECT verdict, reason, reviewer FROM reviews")
    assert said == [("reject", "its message was erased", ME.name)]
    assert many(engine, "SELECT verdict, jobs FROM run_verdicts") == [("reject", 1)]
    assert sent(engine) == []
