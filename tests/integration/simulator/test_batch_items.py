"""What becomes of the items of a batch, and results that come bent."""

import json

import anthropic
import httpx2
import pytest

from tests.integration.simulator.conftest import Told
from tests.support.simulated_batches import counts, ended, item, results, sent
from worker.sandbox.simulator.moods import MoodRule
from worker.sandbox.simulator.state import State


def test_items_fail_each_for_itself_and_only_as_they_run(
    client: anthropic.Anthropic, simulator: tuple[State, str]
) -> None:
    # given
    simulator[0].moods.rules = [
        MoodRule({"purpose": "5-1-answer"}, {"batch": "expired"}),
        MoodRule({"purpose": "6-1-answer"}, {"batch": "canceled"}),
        MoodRule({"purpose": "7-1-answer"}, {"batch": "errored"}),
        MoodRule({"purpose": "8-1-answer"}, {"status": 529}),
    ]
    wrong = [
        item(0, max_tokens=0),
        item(1, stream=True),
        item(2, speed="fast"),
        item(3, temperature=1),
        item(4, model="claude-haiku-9"),
        item(9, system="x" * 1_000_000),
        {"custom_id": "no-params"},
        {"custom_id": "odd-params", "params": ["?"]},
    ]
    # when
    batch = sent(client, *wrong, *(item(number) for number in (5, 6, 7, 8, 10)))
    found = results(client, ended(client, batch))
    # then
    assert counts(ended(client, batch)) == {
        "succeeded": 1,
        "errored": 10,
        "expired": 1,
        "canceled": 1,
    }
    kinds = {
        custom_id: line.result.error.error.type
        for custom_id, line in found.items()
        if line.result.type == "errored"
    }
    assert kinds == {
        "0-1-answer": "invalid_request_error",
        "1-1-answer": "invalid_request_error",
        "2-1-answer": "invalid_request_error",
        "3-1-answer": "invalid_request_error",
        "4-1-answer": "not_found_error",
        "7-1-answer": "api_error",
        "8-1-answer": "overloaded_error",
        "9-1-answer": "invalid_request_error",
        "no-params": "invalid_request_error",
        "odd-params": "invalid_request_error",
    }
    assert (found["5-1-answer"].result.type, found["6-1-answer"].result.type) == (
        "expired",
        "canceled",
    )
    assert simulator[0].counts.batch_items == {"10-1-answer": 1}


@pytest.mark.parametrize(
    ("how", "readable", "lines"),
    [("missing", 4, 4), ("duplicate", 6, 6), ("unknown", 6, 6), ("malformed", 5, 6)],
)
def test_results_can_come_bent(
    client: anthropic.Anthropic, told: Told, how: str, readable: int, lines: int
) -> None:
    # given
    done = ended(client, sent(client, *(item(number) for number in range(5))))
    told({"purpose": "results"}, results=how)
    # when
    raw = httpx2.get(str(done.results_url), headers={"x-api-key": "k"}).text.splitlines()
    # then
    assert len(raw) == lines
    assert sum(_is_json(line) for line in raw) == readable


def _is_json(line: str) -> bool:
    try:
        return isinstance(json.loads(line), dict)
    except ValueError:
        return False
