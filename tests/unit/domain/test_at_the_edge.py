"""Decisions exactly at a boundary and just beside it, and guards that only rare values meet."""

import datetime as dt
from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest

from models.vocabulary import AttemptOutcome, Breaker, CallState, Purpose
from tests.support.attempts import asks, claimed
from tests.unit.domain.test_advice import GOOD, HAIKU, OPUS, SONNET, UNJUDGED, by_topic
from tests.unit.domain.test_breaker import CALL, RULE
from tests.unit.domain.test_lane_choice import ABLE, FRESH, LADDER
from tests.unit.domain.test_limits import LIMITS, NOW, NOW_US, STEADY, headers
from tests.unit.domain.test_next_step import failed, policy
from worker.domain.answers import ModelAnswer, parse_object
from worker.domain.breaker import Pulse, Standing, hear
from worker.domain.buckets import Buckets, in_force
from worker.domain.canary import speaks_well
from worker.domain.claimed import Claimed
from worker.domain.deadlines import Progress, risk
from worker.domain.endings import Accepted, Again, ClimbTo, Failed
from worker.domain.filter_parsing import parse
from worker.domain.filter_tokens import MAX_LENGTH
from worker.domain.filters import FilterError
from worker.domain.first_tier import REMEMBERED, Decided, decide_start, holds
from worker.domain.judgement import Judgement, judge
from worker.domain.ladder import Ladder
from worker.domain.lane_choice import CALL_S, SAFETY, TELLING_ANSWERS, LanePace, realtime_s
from worker.domain.limit_headers import read_headers
from worker.domain.limits import Estimator, Limits, Tokens
from worker.domain.messages import MessageText
from worker.domain.next_step import MAX_TOLD_FINDINGS, PastAttempt, decide
from worker.domain.policy import Rule
from worker.domain.pricing import Usage
from worker.domain.proof.tier_skip import Climbs, judge_hops
from worker.domain.reports import AttemptReport
from worker.domain.shadow_advice import Quality
from worker.domain.shared_labels import MAX_BYTES, requests_of
from worker.domain.timetable import LATE_S, Due, Timetable, complaint, lateness, owed
from worker.domain.trouble import Meaning, Trouble, follow_up

GOOD_ANSWER = '{"reply": "Your card is on its way to you.", "grounds": "", "confidence": 1}'
MESSAGE = MessageText(body="Where is my card?")
NIGHTLY = Timetable("0 2 * * *", "UTC")


# -- climbing ----------------------------------------------------------------------------------


def test_what_was_asked_again_in_vain_follows_what_the_policy_has_for_the_rest() -> None:
    of = policy(otherwise="top", by_reason={"schema": "again"})
    step = decide(of, "haiku", failed("schema"), [PastAttempt("haiku", ("schema",))])
    assert isinstance(step, ClimbTo)
    assert step.tier == "opus"


def test_a_hint_tells_few_findings_and_never_none() -> None:
    of = policy(by_reason={"length": "again", "empty": "again"})
    many = decide(of, "haiku", failed(*["length"] * 9))
    assert isinstance(many, Again)
    assert len(many.hint["findings"]) == MAX_TOLD_FINDINGS
    empty = decide(of, "haiku", Judgement(outcome=AttemptOutcome.EMPTY, reasons=("empty",)))
    assert empty == Again({"findings": ["empty"]})


def test_a_tier_stands_in_a_ladder_once() -> None:
    with pytest.raises(ValueError, match="twice"):
        Ladder(("haiku", "haiku"))


def test_a_fence_that_is_not_closed_takes_nothing_off() -> None:
    assert parse_object('```\n{"reply": "x"}abc') is None


# -- filters -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("metadata.age < old", "metadata is compared with a number"),
        ("cost > 1e5", "'1e5' is none"),
        ("metadata. 'age' = 1", "metadata needs a key"),
        ("state not = dead", "After state not comes one of: in contains"),
        ("in = 1", "Here a comparison begins"),
        ("state = dead 'or' state = review", "Between two comparisons stands"),
        ("'(' state = dead )", "Here a comparison begins"),
    ],
)
def test_what_only_looks_like_a_part_of_the_language(text: str, sentence: str) -> None:
    with pytest.raises(FilterError, match=sentence):
        parse(text)


def test_what_stands_side_by_side_is_not_nested_and_the_longest_is_not_too_long() -> None:
    parse(" and ".join(["not state = dead"] * 30))
    parse("state = dead".ljust(MAX_LENGTH))
    with pytest.raises(FilterError, match="are the most"):
        parse("state = dead".ljust(MAX_LENGTH + 1))


# -- limits ------------------------------------------------------------------------------------


def test_a_reset_of_this_very_second_is_not_past_yet() -> None:
    assert read_headers(headers("0", reset=_moment(NOW - 0.5)), NOW).left[0] == 0
    assert read_headers(headers("0", reset=_moment(NOW - 1)), NOW).left[0] is None


def test_a_reset_without_a_zone_says_nothing() -> None:
    assert read_headers(headers("0", reset="2001-01-01T00:00:00"), NOW).left[0] == 0


def test_no_more_than_all_of_it_is_left() -> None:
    assert read_headers(headers("4000"), NOW).left == (1, 1, 1)


def test_an_estimator_forgets() -> None:
    estimator = Estimator(Tokens(100, 100))
    for tokens, calls in ((100, 1_000), (200, 200)):
        for _ in range(calls):
            estimator.learn("haiku", Purpose.ANSWER, 0, Usage(input_tokens=tokens))
    # After 200 calls those before weigh about an eighth; a plain mean would be 117.
    assert 200 < estimator.expect("haiku", Purpose.ANSWER).input < 210


def test_claudes_limit_is_never_above_ours() -> None:
    state = Buckets(
        seen_us=NOW_US,
        levels=(0, 0, 0),
        hold_us=0,
        ramp_us=0,
        ramp_s=STEADY.ramp_s,
        asked_us=NOW_US,
        lowered=(9_999, 1, None),
        told_us=NOW_US,
    )
    assert in_force(state, LIMITS, NOW_US) == Limits(600, 1, 6_000)


def _moment(unix: float) -> str:
    return dt.datetime.fromtimestamp(unix, dt.UTC).isoformat()


# -- nights ------------------------------------------------------------------------------------


def test_a_night_is_owed_from_the_very_second_and_late_after_ten_minutes() -> None:
    due = dt.datetime(2026, 11, 2, 2, tzinfo=dt.UTC)
    before = due - dt.timedelta(hours=1)
    assert [one.at for one in owed(NIGHTLY, before, due)] == [due]
    assert owed(NIGHTLY, before, due - dt.timedelta(seconds=1)) == []
    fired = [Due(due, due.date())]
    assert lateness(fired, due + dt.timedelta(seconds=600)) is None
    assert lateness(fired, due + dt.timedelta(seconds=601)) == "0.2 h late"
    assert LATE_S == 600


@pytest.mark.parametrize(
    ("cron", "words"),
    [("0 2,3 * * *", "is due 2 times a day"), ("0 0 30 2 *", "is never due|cannot be read")],
)
def test_twice_a_day_and_never_are_both_refused(cron: str, words: str) -> None:
    with pytest.raises(AssertionError, match=words):
        assert complaint(Timetable(cron, "UTC")) is None


# -- advice ------------------------------------------------------------------------------------


def test_a_hundred_messages_are_enough_and_any_saving_is_one() -> None:
    few = by_topic(replace(GOOD, messages=100, climbed=20))
    assert "evidence" not in few
    assert by_topic(replace(GOOD, all_on_top=Decimal("6.4")))["saving"].pays


def test_the_bottom_is_judged_by_all_that_came_to_it() -> None:
    hops = judge_hops({"": Climbs(200, 1)}, 0.004, 0.01)
    said = by_topic(replace(GOOD, rungs=(replace(HAIKU, hops=hops), SONNET, OPUS)))
    assert said["rung haiku"].figures.startswith("80 % of 1,000 messages accepted")


def test_a_hop_of_few_or_of_doubtful_climbs_says_nothing() -> None:
    few = replace(SONNET, hops=judge_hops({"": Climbs(99, 1)}, 0.004, 0.01))
    assert "rung sonnet" not in by_topic(replace(GOOD, rungs=(HAIKU, few, OPUS)))
    hops = judge_hops({"sure": Climbs(400, 390), "doubtful": Climbs(6, 3)}, 0.008, 0.01)
    assert not next(hop for hop in hops if hop.segment == "doubtful").sure
    said = by_topic(replace(GOOD, rungs=(HAIKU, replace(SONNET, hops=hops), OPUS)))
    assert "rung sonnet for doubtful" not in said


def test_nobody_has_judged_where_nothing_was_judged() -> None:
    said = by_topic(replace(GOOD, quality={"haiku": Quality(0, 0)}))["rung haiku"]
    assert said.figures.endswith(UNJUDGED)


# -- breakers and canaries ---------------------------------------------------------------------


def test_an_answer_among_the_troubled_ends_the_row() -> None:
    almost = Standing(in_row=RULE.in_row - 1)
    assert hear(almost, Pulse(1, 1, "500"), RULE).in_row == 1
    mixed = hear(Standing(), Pulse(3, RULE.in_row, "500"), RULE)
    assert mixed.state is Breaker.CLOSED
    assert hear(almost, Pulse(1), RULE).in_row == 0


def test_good_calls_alone_never_open_it_and_the_latest_trouble_is_named() -> None:
    half = Standing(good=9, troubled=RULE.at_least, age_s=1.0)
    assert hear(half, Pulse(1), RULE).state is Breaker.CLOSED
    assert (Pulse(0, 1, "old") + Pulse(0, 1, "new")).last == "new"
    assert (Pulse(0, 1, "old") + Pulse(1)).last == "old"


def test_what_was_not_heard_from_claude_says_nothing_of_a_prompt() -> None:
    kept = AttemptReport(
        job_id=1,
        fence=1,
        outcome=AttemptOutcome.REJECTED,
        ending=Accepted("", {}),
        calls=(),
        reasons=("length",),
    )
    assert speaks_well(kept) is None
    assert speaks_well(replace(kept, calls=(replace(CALL, state=CallState.LOST),))) is None


# -- lanes and deadlines -----------------------------------------------------------------------


def test_few_answers_do_not_tell_a_share_and_no_share_is_above_one() -> None:
    slow = ABLE | {"sonnet": LanePace(64, rpm=6)}
    few = replace(FRESH, answered={"haiku": TELLING_ANSWERS - 1}, climbed={})
    assert realtime_s(few, slow) == realtime_s(FRESH, slow)
    odd = replace(FRESH, ladder=LADDER[:2], answered={"haiku": 50}, climbed={"haiku": 100})
    assert realtime_s(odd, slow) == pytest.approx(SAFETY * 600 / 0.09 + 3 * CALL_S)


def test_a_minute_is_enough_to_believe_a_pace_and_nothing_left_is_no_risk() -> None:
    assert risk(Progress(ended=1, left=999, elapsed_s=61, left_s=9_000)) is not None
    assert risk(Progress(ended=0, left=0, elapsed_s=599, left_s=1)) is None


# -- trouble -----------------------------------------------------------------------------------


def test_without_a_word_from_claude_the_wait_is_our_own() -> None:
    how = {"queue": "haiku", "failures": 0, "deferrals": 0, "jitter": 1.0}
    for meaning in (Meaning.OVERLOADED, Meaning.UNKNOWN):
        step = follow_up(Trouble(meaning=meaning, kind="kind"), **how)  # type: ignore[arg-type]
        assert step.delay_s == 2  # type: ignore[union-attr]
    assert isinstance(step, Failed)


def test_a_stop_for_a_tool_is_no_answer() -> None:
    stopped = judge(policy(), "haiku", MESSAGE, ModelAnswer(GOOD_ANSWER, "tool_use"))
    assert isinstance(stopped, Judgement)
    assert stopped.reasons == ("malformed:stop_reason tool_use",)


# -- requests that are shared, and where a message starts --------------------------------------


def grouped(*made: Claimed) -> list[list[int]]:
    return [[one.candidate.job_id for one in group] for group in requests_of(made)]


def routing(number: int, *, together: int = 2, body: str = "Hi", **fields: Any) -> Claimed:
    versions = {name: fields.pop(name) for name in ("policy_version",) if name in fields}
    question = asks(Purpose.CLASSIFY, together=together, **fields)
    return claimed(question, job_id=number, message=MessageText(body=body), **versions)


def test_routing_calls_of_one_kind_go_together_as_many_as_may_and_fit() -> None:
    assert grouped(*(routing(n) for n in range(5))) == [[0, 1], [2, 3], [4]]
    assert grouped(routing(0, together=1), routing(1, together=1)) == [[0], [1]]
    assert grouped(routing(0), routing(1, policy_version="other")) == [[0], [1]]
    assert grouped(routing(0), routing(1, model="other")) == [[0], [1]]
    assert grouped(routing(0), routing(1, prompt_version="other")) == [[0], [1]]
    large = "x" * (MAX_BYTES // 2 + 1)
    assert grouped(routing(0, body=large), routing(1, body=large)) == [[0], [1]]
    assert grouped(claimed(Decided("haiku"), job_id=3)) == [[3]]


def test_a_remembered_label_starts_at_its_own_tier() -> None:
    assert decide_start(policy(), MESSAGE, "COMPLEX") == Decided("opus", REMEMBERED, "COMPLEX")


def test_a_language_may_be_written_with_an_underscore() -> None:
    rule = Rule(name="Brazil", tier="opus", languages=("pt-br",))
    assert holds(rule, replace(MESSAGE, language="pt_BR"))
    assert not holds(rule, replace(MESSAGE, language="pt"))
