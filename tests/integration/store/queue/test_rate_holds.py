"""A queue that Claude asked to pause: people see until when and why, and can lift it."""

from collections.abc import Iterator

import pytest
from sqlalchemy import Engine

from models.vocabulary import Purpose
from tests.support.attempts import asks, claimed
from tests.support.promises import ME, many, one
from tests.support.waiting import eventually
from tests.support.works import settings_for
from worker.claude.rate_limits import connect
from worker.config.settings import Settings
from worker.domain.answers import Troubled
from worker.domain.limit_headers import MAX_HOLD_S
from worker.domain.trouble import Meaning, Trouble
from worker.lanes.realtime.pacer import Pacer
from worker.store.actions.holds import resume_queue
from worker.store.queue.rate_holds import carry_out_lifts, note_hold

HELD = "SELECT name, held_reason FROM tiers WHERE held_until > now() ORDER BY name"


@pytest.fixture
def settings(database_url: str, redis_url: str) -> Settings:
    with connect(redis_url) as client:
        client.flushdb()
    tiers = {name: {"model": f"claude-{name}-5-5", "rpm": 60_000} for name in ("haiku", "opus")}
    return settings_for(database_url, "http://nowhere", redis_url=redis_url, tiers=tiers)


@pytest.fixture
def pacer(engine: Engine, settings: Settings, redis_url: str) -> Iterator[Pacer]:
    """A worker's, which tells Postgres of holds."""
    made = Pacer(settings, redis_url, lambda *hold: note_hold(engine, *hold))
    made.start()
    yield made
    made.stop()


def refused(retry_after_s: float) -> Troubled:
    trouble = Trouble(
        meaning=Meaning.RATE_LIMITED,
        kind="rate_limit_error",
        status=429,
        retry_after_s=retry_after_s,
    )
    return Troubled(trouble, 1)


def refuse(pacer: Pacer, tier: str, got: Troubled) -> None:
    question = asks(Purpose.ANSWER, tier=tier)
    pacer.ended(claimed(question), question, got)


def test_a_hold_is_seen_with_every_queue_that_shares_the_limit(
    engine: Engine, pacer: Pacer
) -> None:
    # when
    refuse(pacer, "haiku", refused(60))
    eventually(lambda: many(engine, HELD))
    # then
    why = "Claude asked for a pause (429)"
    assert [tuple(row) for row in many(engine, HELD)] == [("haiku", why), ("routing", why)]
    grant = pacer.take("haiku", Purpose.ANSWER, 1)
    assert (grant.calls, 55 < grant.retry_in_s <= 60) == (0, True)


def test_resume_lifts_a_hold_for_all_workers(engine: Engine, pacer: Pacer) -> None:
    # given
    refuse(pacer, "haiku", refused(600))
    eventually(lambda: many(engine, HELD))
    # when
    assert resume_queue(engine, ME, "haiku")
    assert carry_out_lifts(engine, pacer.lift) == ["haiku"]
    # then
    eventually(lambda: pacer.take("haiku", Purpose.ANSWER, 1).calls, within_s=5)
    assert [row.name for row in many(engine, HELD)] == ["routing"]
    assert carry_out_lifts(engine, pacer.lift) == []
    assert one(engine, "SELECT count(*) FROM audit_events WHERE action = 'resume'")[0] == 1


def test_a_queue_that_nothing_holds_is_not_resumed(engine: Engine, settings: Settings) -> None:
    note_hold(engine, ["sonnet"], 0.0, 0.0)
    note_hold(engine, [], 60.0, 60.0)
    assert not resume_queue(engine, ME, "sonnet")
    assert many(engine, "SELECT name FROM tiers") == []


def test_everything_lifts_every_hold(engine: Engine) -> None:
    note_hold(engine, ["haiku", "opus"], 60.0, 60.0)
    assert resume_queue(engine, ME, "everything")
    lifted = list[str]()
    carry_out_lifts(engine, lifted.append)
    assert lifted == ["haiku", "opus"]
    assert many(engine, HELD) == []


def test_an_absurd_pause_is_cut_short_and_said(engine: Engine, pacer: Pacer) -> None:
    # when
    refuse(pacer, "opus", refused(7_200))
    eventually(lambda: many(engine, HELD))
    # then
    left, reason = one(
        engine, "SELECT extract(epoch FROM held_until - now()), held_reason FROM tiers"
    )
    assert left <= MAX_HOLD_S
    assert "2 h" in reason
    words = one(engine, "SELECT words FROM notices WHERE kind = 'held'")[0]
    assert "rung resume opus" in words


def test_a_lift_that_redis_did_not_hear_of_is_tried_again(engine: Engine) -> None:
    # given
    note_hold(engine, ["haiku"], 60.0, None)
    assert resume_queue(engine, ME, "haiku")

    def away(_: str) -> None:
        raise ConnectionError

    # when
    with pytest.raises(ConnectionError):
        carry_out_lifts(engine, away)
    # then
    assert carry_out_lifts(engine, lambda _: None) == ["haiku"]


def test_a_later_hold_takes_the_wish_to_lift_back(engine: Engine) -> None:
    note_hold(engine, ["haiku"], 60.0, None)
    resume_queue(engine, ME, "haiku")
    note_hold(engine, ["haiku"], 30.0, None)
    assert carry_out_lifts(engine, lambda _: None) == []
    assert one(engine, "SELECT extract(epoch FROM held_until - now()) > 50 FROM tiers")[0]
