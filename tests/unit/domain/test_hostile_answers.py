"""Answers that mean harm, or are only odd: what is read of them can be stored, and reading ends."""

import json
import time
from typing import Any

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from models.vocabulary import AttemptOutcome
from worker.domain.answers import MAX_ANSWER_CHARS, MAX_DEPTH, ModelAnswer, parse_object
from worker.domain.judgement import Judgement, judge
from worker.domain.ladder import Ladder
from worker.domain.messages import MessageText
from worker.domain.presets import preset

FALLBACK = preset("fallback", Ladder(("haiku", "sonnet", "opus")))
values = st.recursive(
    st.none() | st.booleans() | st.floats() | st.integers() | st.text(st.characters()),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(st.characters()), inner),
    max_leaves=12,
)


def judged(text: str) -> Judgement:
    found = judge(FALLBACK, "haiku", MessageText(body="Where is my card?"), ModelAnswer(text))
    assert isinstance(found, Judgement)
    return found


@given(st.dictionaries(st.text(st.characters()), values, max_size=4))
def test_whatever_is_read_can_be_stored_as_json(document: dict[str, Any]) -> None:
    found = parse_object(json.dumps(document))
    assume(found is not None)
    stored = json.dumps(found, ensure_ascii=False, allow_nan=False)
    assert stored.encode("utf-8")
    assert "\\u0000" not in stored


@pytest.mark.parametrize(
    "value",
    ["1e999", "-1e999", "9" * 4_000, str(2**64), "NaN", "[" * 800 + "]" * 800, '{"a":' * 70],
)
def test_what_no_database_takes_is_malformed(value: str) -> None:
    found = judged(f'{{"reply": "Your card is on its way to you.", "more": {value}}}')
    assert (found.outcome, found.reasons) == (AttemptOutcome.MALFORMED, ("malformed",))


def test_nesting_is_read_as_deep_as_is_said() -> None:
    def nested(levels: int) -> str:
        return '{"a":' + "[" * levels + "]" * levels + "}"

    assert parse_object(nested(MAX_DEPTH)) is not None
    assert parse_object(nested(MAX_DEPTH + 1)) is None


@pytest.mark.parametrize("blank", ["", "  \n", "\u200b\u200b", "\u00a0", "\ufeff"])
def test_a_reply_that_nobody_can_see_is_empty(blank: str) -> None:
    assert judged(json.dumps({"reply": blank})).outcome is AttemptOutcome.EMPTY


@pytest.mark.parametrize(
    ("text", "is_read"),
    [
        ('```json\n{"a": 1}\n```', True),
        ('\n ```\n{"a": 1}```  ', True),
        ('```json {"a": 1}```', False),
        ('Here it is:\n```json\n{"a": 1}\n```', False),
        ('```json\n{"a": 1}', False),
        ("``````", False),
    ],
)
def test_a_fence_around_it_all_is_forgiven_and_nothing_else(text: str, is_read: bool) -> None:
    assert (parse_object(text) is not None) is is_read


@pytest.mark.parametrize(
    "text",
    [
        "```json\n" + "\n" * (MAX_ANSWER_CHARS - 20),
        "```" + "`" * (MAX_ANSWER_CHARS - 20),
        "```" + " \n" * (MAX_ANSWER_CHARS // 2 - 20) + "```",
        "[" * (MAX_ANSWER_CHARS - 20),
        '{"a":' * (MAX_ANSWER_CHARS // 5 - 20),
        '"' * (MAX_ANSWER_CHARS - 20),
        "9" * (MAX_ANSWER_CHARS - 20),
    ],
)
def test_no_text_takes_long_to_read(text: str) -> None:
    started = time.process_time()
    assert parse_object(text) is None
    assert time.process_time() - started < 2
