"""Due times: once on each local date, whatever the clock does."""

import datetime as dt
import itertools
import zoneinfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from worker.domain.timetable import (
    Timetable,
    complaint,
    due_after,
    lateness,
    next_due,
    night_of,
    owed,
)

ZONES = [
    "UTC", "Europe/Berlin", "America/New_York", "Australia/Lord_Howe", "Africa/Cairo",
    "America/St_Johns", "Pacific/Chatham", "Asia/Kathmandu", "America/Sao_Paulo",
]  # fmt: skip
BERLIN = Timetable("30 2 * * *", "Europe/Berlin")


def at(words: str) -> dt.datetime:
    return dt.datetime.fromisoformat(words).replace(tzinfo=dt.UTC)


@given(
    zone=st.sampled_from(ZONES),
    hour=st.integers(0, 23),
    minute=st.integers(0, 59),
    day=st.integers(0, 25 * 365),
    second=st.integers(0, 86_399),
)
def test_every_local_date_is_due_exactly_once(
    zone: str, hour: int, minute: int, day: int, second: int
) -> None:
    # given
    table = Timetable(f"{minute} {hour} * * *", zone)
    begin = at("2010-01-01T00:00") + dt.timedelta(days=day, seconds=second)
    # when
    dues = list(itertools.islice(due_after(table, begin), 380))
    # then
    assert all(a.at < b.at for a, b in itertools.pairwise(dues))
    assert dues[0].at > begin
    nights = [due.night for due in dues]
    assert [b - a for a, b in itertools.pairwise(nights)] == [dt.timedelta(days=1)] * 379
    for due in dues:
        local = due.at.astimezone(zoneinfo.ZoneInfo(zone))
        off = (local.hour * 60 + local.minute) - (hour * 60 + minute)
        assert (local.date(), 0 <= off <= 60) == (due.night, True)


def test_an_hour_that_the_clock_jumps_over_is_due_right_after_the_jump() -> None:
    # 2026-03-29: 02:00 becomes 03:00 in Berlin
    dues = owed(BERLIN, at("2026-03-28T12:00"), at("2026-03-30T12:00"))
    assert [(due.at, str(due.night)) for due in dues] == [
        (at("2026-03-29T01:00"), "2026-03-29"),
        (at("2026-03-30T00:30"), "2026-03-30"),
    ]


def test_an_hour_that_comes_twice_is_due_once() -> None:
    # 2026-10-25: 03:00 becomes 02:00 in Berlin, so 02:30 comes at 00:30 and at 01:30 UTC
    dues = owed(BERLIN, at("2026-10-24T12:00"), at("2026-10-26T12:00"))
    assert [(due.at, str(due.night)) for due in dues] == [
        (at("2026-10-25T00:30"), "2026-10-25"),
        (at("2026-10-26T01:30"), "2026-10-26"),
    ]
    # and a scheduler that looks between the two comings does not owe it again
    assert owed(BERLIN, dues[0].at, at("2026-10-25T01:45")) == []


def test_a_weekly_schedule_owes_weeks() -> None:
    table = Timetable("0 3 * * MON", "UTC")
    dues = owed(table, at("2026-11-01T00:00"), at("2026-11-24T00:00"))
    assert [str(due.night) for due in dues] == [
        "2026-11-02",
        "2026-11-09",
        "2026-11-16",
        "2026-11-23",
    ]
    following = next_due(table, at("2026-11-24T00:00"))
    assert following is not None
    assert str(following.night) == "2026-11-30"


def test_a_very_long_silence_is_bounded() -> None:
    dues = owed(BERLIN, at("1990-01-01T00:00"), at("2026-11-24T12:00"))
    assert (len(dues), str(dues[-1].night)) == (1_000, "2026-11-24")


def test_the_night_is_the_local_date() -> None:
    assert str(night_of(Timetable("0 0 * * *", "Pacific/Auckland"), at("2026-11-24T13:00"))) == (
        "2026-11-25"
    )


@pytest.mark.parametrize(
    ("cron", "zone", "words"),
    [
        ("0 2 * * *", "Europe/Berlin", None),
        ("0 2 * * MON-FRI", "UTC", None),
        ("0 2 L * *", "UTC", None),
        ("0 2 * * *", "Europe/Berln", "timezone 'Europe/Berln' is unknown"),
        ("0 2 * * *", "../etc/passwd", "is unknown"),
        ("0 2 * *", "UTC", "must have five fields"),
        ("0 0 2 * * *", "UTC", "must have five fields"),
        ("@daily", "UTC", "must have five fields"),
        ("0 25 * * *", "UTC", "Bad hour"),
        ("x 2 * * *", "UTC", "Bad minute"),
        ("0 */6 * * *", "UTC", "is due 4 times a day"),
        ("* * * * *", "UTC", "is due 1440 times a day"),
        ("0 2 31 2 *", "UTC", "Bad day-of-month"),
    ],
)
def test_what_is_wrong_with_a_timetable_is_a_sentence(
    cron: str, zone: str, words: str | None
) -> None:
    said = complaint(Timetable(cron, zone))
    assert (said is None) if words is None else (said is not None and words in said)


@given(st.text(max_size=30) | st.lists(st.text("0123456789*/,-#L xMON", max_size=4)).map(" ".join))
def test_any_text_is_a_timetable_or_a_sentence(cron: str) -> None:
    if complaint(Timetable(cron, "Europe/Berlin")) is None:
        assert next_due(Timetable(cron, "Europe/Berlin"), at("2026-11-24T00:00")) is not None


def test_what_is_late_or_missed_is_said() -> None:
    dues = owed(BERLIN, at("2026-11-20T12:00"), at("2026-11-23T12:00"))
    assert lateness(dues[-1:], at("2026-11-23T01:31")) is None
    assert lateness(dues[-1:], at("2026-11-23T04:30")) == "3.0 h late"
    assert lateness(dues[-2:], at("2026-11-23T01:31")) == (
        "stands for 1 earlier night that nobody fired (2026-11-22)"
    )
    assert lateness(dues, at("2026-11-23T04:30")) == (
        "3.0 h late; stands for 2 earlier nights that nobody fired (2026-11-21 to 2026-11-22)"
    )
