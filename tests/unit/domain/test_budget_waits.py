"""What a run waits for, from many claims of several tiers, each of which sees a part of it."""

from decimal import Decimal

from worker.domain.budget_waits import (
    ClaimedCall,
    Foreseen,
    TierWait,
    Waiting,
    after_claim,
    foreseeing,
    read_waits,
    waiting_of,
)

RUN, DAY = "run budget", "day budget"


def call(tier: str, worst: str, stop: str | None = RUN) -> ClaimedCall:
    return ClaimedCall(tier, Decimal(worst), stop)


def after(*claims: list[ClaimedCall]) -> dict[str, TierWait]:
    waits: dict[str, TierWait] = {}
    for calls in claims:
        waits = after_claim(waits, calls)
    return waits


def wait(least: str | None, most: str, stop: str | None = RUN) -> TierWait:
    return TierWait(stop=stop, least=Decimal(least) if least else None, most=Decimal(most))


def test_what_one_tier_waits_for_says_nothing_of_another() -> None:
    cheap, dear = [call("haiku", "1")], [call("opus", "9")]
    assert after(cheap, dear) == after(dear, cheap) == after(cheap, dear, cheap)
    assert after(cheap, dear) == {"haiku": wait("1", "1"), "opus": wait("9", "9")}


def test_a_claim_sees_a_part_of_what_waits() -> None:
    """The least is of all that wait, whichever was looked at last, and so is the most."""
    assert after([call("haiku", "2")], [call("haiku", "3"), call("haiku", "1")])["haiku"] == wait(
        "1", "3"
    )
    assert after([call("haiku", "1")], [call("haiku", "2")])["haiku"] == wait("1", "2")
    both = [call("haiku", "1"), call("haiku", "3")]
    assert after(both, [call("haiku", "2")])["haiku"] == wait("1", "3")


def test_the_least_goes_once_a_call_as_cheap_was_granted() -> None:
    cheap = [call("haiku", "1"), call("haiku", "3")]
    assert after(cheap, [call("haiku", "1", None)])["haiku"] == wait(None, "3", None)
    assert after(cheap, [call("haiku", "2", None)])["haiku"] == wait("1", "3")
    both = [call("haiku", "1", None), call("haiku", "2")]
    assert after(cheap, both)["haiku"] == wait("2", "3")
    assert after(cheap, [call("opus", "1", None)])["haiku"] == wait("1", "3")
    assert after([call("haiku", "1", None)]) == {}


def test_the_budget_that_is_said_is_that_of_the_least() -> None:
    assert after([call("haiku", "2", RUN), call("haiku", "1", DAY)])["haiku"] == wait("1", "2", DAY)
    assert after([call("haiku", "1", DAY)], [call("haiku", "2", RUN)])["haiku"].stop == DAY


def test_a_run_waits_for_its_own_budget_before_the_day_s() -> None:
    waits = {"haiku": wait("1", "1", DAY), "sonnet": wait("4", "5"), "opus": wait("7", "9")}
    every, left = {"haiku": 1, "sonnet": 1, "opus": 1}, Decimal(3)
    assert waiting_of(waits, every, RUN, left) == Waiting(RUN, Decimal(4))
    # A tier with nothing open waits for nothing.
    assert waiting_of(waits, every | {"sonnet": 0}, RUN, left) == Waiting(RUN, Decimal(7))
    assert waiting_of(waits, {"haiku": 1}, RUN, left) == Waiting(DAY, Decimal(1))
    idle = {"haiku": wait(None, "1", None)}
    assert waiting_of(idle, {"haiku": 1}, RUN, left) == Waiting(None, None)


def test_what_fits_by_now_waits_for_its_turn_and_for_no_budget() -> None:
    """A tier that was paused after a refusal was said to wait for calls in flight, of which there
    were none."""
    waits = {"sonnet": wait("4", "5"), "opus": wait("7", "9")}
    both = {"sonnet": 1, "opus": 1}
    assert waiting_of(waits, both, RUN, Decimal(4)) == Waiting(RUN, Decimal(7))
    assert waiting_of(waits, both, RUN, Decimal(7)) == Waiting(None, None)
    assert waiting_of(waits, both, RUN, None) == Waiting(None, None)
    waits["haiku"] = wait("1", "1", DAY)
    assert waiting_of(waits, both | {"haiku": 1}, RUN, Decimal(9)) == Waiting(DAY, Decimal(1))


def test_what_may_come_to_a_tier_waits_for_nothing_there() -> None:
    waits = foreseeing({"haiku": wait("1", "1"), "opus": wait("5", "9")}, seen("opus", 7))
    assert waits == {"haiku": wait("1", "1"), "opus": wait("5", "9")}
    assert foreseeing({}, seen("opus", 7)) == {"opus": wait(None, "7", None)}
    assert foreseeing(waits, seen("opus", 11))["opus"] == wait("5", "11")


def test_what_a_tier_writes_at_is_known_from_when_it_is_first_foreseen() -> None:
    rate = Decimal(20)
    waits = foreseeing({"opus": wait("5", "9")}, seen("opus", 7, rate))
    assert waits["opus"].rate == rate
    # Whatever its calls come to, and where it is no longer asked.
    for calls in ([call("opus", "6")], [call("opus", "4")], [call("opus", "4", None)], []):
        waits = foreseeing(after_claim(waits, calls), seen("opus", 0))
        assert waits["opus"].rate == rate


def seen(tier: str, worst: int, rate: Decimal | None = None) -> dict[str, Foreseen]:
    return {tier: Foreseen(Decimal(worst), rate)}


def test_it_is_stored_as_it_is() -> None:
    waits = {"": wait("0.0000001", "2"), "opus": wait(None, "3", None)}
    waits |= foreseeing({}, seen("sonnet", 7, Decimal("12.5")))
    assert read_waits({tier: one.as_json() for tier, one in waits.items()}) == waits
    assert read_waits(None) == {}
