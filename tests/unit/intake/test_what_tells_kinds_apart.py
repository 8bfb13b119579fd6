"""What tells one kind of file, mail or time from another that looks like it."""

import datetime as dt
from email.message import Message

import pytest

from worker.domain.backlog import MOST_COLUMNS
from worker.intake.dates import moment_of
from worker.intake.dialects import Dialect, delimiter_of, dialect_of
from worker.intake.json_values import is_flat, unwrapped
from worker.intake.mail_parts import why_no_question


def test_the_day_comes_first_where_dots_part_it_from_words_too() -> None:
    assert moment_of("3.4.2024 at 10:00", None) == dt.datetime(2024, 4, 3, 10, tzinfo=dt.UTC)


def test_rows_that_fall_short_do_not_choose_a_delimiter() -> None:
    assert delimiter_of(b"id;text;more,x\n1;a;b,x\n2;c;e,x\n3,g\n") == ";"


def test_an_apostrophe_that_quotes_nothing_is_one() -> None:
    assert dialect_of(b"id,text\n0,,'\n", ",") == Dialect(delimiter=",")


@pytest.mark.parametrize(("columns", "flat"), [(MOST_COLUMNS, True), (MOST_COLUMNS + 1, False)])
def test_a_row_of_too_many_columns_is_looked_at(columns: int, *, flat: bool) -> None:
    assert is_flat({f"c{number}": number for number in range(columns)}) == flat


def test_an_object_that_holds_nothing_is_no_row_of_its_own() -> None:
    assert unwrapped({"ticket": {}}) == {"ticket": {}}
    assert unwrapped({"ticket": {"id": 1}}) == {"id": 1}


@pytest.mark.parametrize(("flags", "gone"), [("0001", False), ("0009", True), ("0008", True)])
def test_a_mail_that_was_only_read_is_not_deleted(flags: str, *, gone: bool) -> None:
    mail = Message()
    mail["X-Mozilla-Status"] = flags
    mail.set_payload("Where is it?")
    assert (why_no_question(mail) is not None) == gone
