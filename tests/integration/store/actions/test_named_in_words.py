"""Who is forgotten goes out of what people wrote of something else."""

from typing import Any

import pytest
from sqlalchemy import Engine

from tests.integration.store.actions.test_erasure import holding
from tests.support.cli import say
from tests.support.promises import do, one
from tests.support.works import hand_in, settings_for
from worker.domain.named_in_filters import fingerprint

pytestmark = pytest.mark.usefixtures("configured")
QUOTED = 'the "7"'


def asked(*arguments: str) -> None:
    said = say(*arguments)
    assert said.code == 0, said.err


def wrote(engine: Engine, customer: str, **more: Any) -> None:
    hand_in(engine, settings_for("", ""), ["Hello?"], customer_id=customer, **more)


@pytest.mark.parametrize(
    ("customer", "words", "left"),
    [
        ("c-77", "C-77 and c-770 complain", f"{fingerprint('c-77')} and c-770 complain"),
        (QUOTED, f"so says {QUOTED}.", f"so says {fingerprint(QUOTED)}."),
        ("12345", "of 12345, 123456", f"of {fingerprint('12345')}, 123456"),
        # A part of much that has nothing to do with anybody.
        ("c7", "c7 has complained", "c7 has complained"),
        ("1234", "1234 messages are wrong", "1234 messages are wrong"),
    ],
)
def test_an_id_goes_where_it_is_a_word_of_its_own(
    customer: str, words: str, left: str, engine: Engine
) -> None:
    wrote(engine, customer)
    asked("pause", "opus", "--reason", words)
    # when
    asked("forget", "--customer", customer, "--yes")
    # then
    assert one(engine, "SELECT paused_reason FROM tiers WHERE name = 'opus'")[0] == left
    told = "SELECT detail ->> 'reason' FROM audit_events WHERE action = 'pause'"
    assert one(engine, told)[0] == left


def test_what_was_said_before_anybody_had_written_is_not_of_them(engine: Engine) -> None:
    asked("pause", "opus", "--reason", "as on c-77")
    asked("resume", "opus")
    do(engine, "UPDATE audit_events SET at = now() - interval '1 day'")
    wrote(engine, "c-77")
    # when
    asked("forget", "--customer", "c-77", "--yes")
    # then
    assert holding(engine, "c-77") == {"audit_events"}


def test_the_id_of_a_message_goes_where_ids_go(engine: Engine) -> None:
    wrote(engine, "c-77")
    asked("pause", "opus", "--reason", "run-0 was answered twice")
    # when
    asked("forget", "--customer", "c-77", "--yes")
    assert holding(engine, "run-0") == {"messages", "tiers", "audit_events"}
    wrote(engine, "c-78", name="other")
    asked("pause", "sonnet", "--reason", "other-0 too")
    asked("forget", "--customer", "c-78", "--ids", "--yes")
    # then
    assert holding(engine, "other-0") == set()
