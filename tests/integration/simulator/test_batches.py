"""The whole life of a Message Batch, through the real SDK."""

from collections.abc import Iterator
from typing import Any

import anthropic
import httpx2
import pytest

from tests.integration.simulator.conftest import Told
from tests.support.simulated_batches import counts, ended, item, results, sent
from tests.support.waiting import eventually
from worker.sandbox.simulator.server import running
from worker.sandbox.simulator.state import State


@pytest.fixture
def slow() -> Iterator[tuple[State, anthropic.Anthropic]]:
    """A simulator whose batches take two minutes."""
    state = State(latency_scale=60)
    with (
        running(state) as url,
        anthropic.Anthropic(api_key="k", base_url=url, max_retries=0) as client,
    ):
        yield state, client


def test_a_batch_lives_from_create_to_delete(
    client: anthropic.Anthropic, simulator: tuple[State, str]
) -> None:
    # when
    made = sent(client, *(item(number) for number in range(20)))
    # then
    assert made.id.startswith("msgbatch_sim")
    assert (made.type, made.processing_status) == ("message_batch", "in_progress")
    assert (counts(made), made.results_url, made.ended_at) == ({"processing": 20}, None, None)
    assert (made.expires_at - made.created_at).total_seconds() == 24 * 3600
    # when
    done = ended(client, made)
    lines = list(client.messages.batches.results(made.id))
    # then
    assert counts(done) == {"succeeded": 20}
    assert done.results_url == f"{simulator[1]}/v1/messages/batches/{made.id}/results"
    assert done.ended_at is not None
    ids = [line.custom_id for line in lines]
    assert sorted(ids) == sorted(f"{number}-1-answer" for number in range(20))
    assert ids != [f"{number}-1-answer" for number in range(20)]
    # when
    client.messages.batches.delete(made.id)
    # then
    with pytest.raises(anthropic.NotFoundError):
        client.messages.batches.retrieve(made.id)
    assert list(client.messages.batches.list()) == []


def test_another_life_of_the_simulator_gives_other_ids(client: anthropic.Anthropic) -> None:
    """Whoever kept the ids of the one before would take a new batch for an old one."""
    first = sent(client, item(1))
    with (
        running(State(latency_scale=60)) as url,
        anthropic.Anthropic(api_key="k", base_url=url, max_retries=0) as other,
    ):
        assert sent(other, item(1)).id != first.id


def test_a_batch_answers_as_a_request_would_but_as_its_own_service_tier(
    client: anthropic.Anthropic,
) -> None:
    # given
    alone = client.messages.create(**item(1)["params"])
    # when
    result = results(client, ended(client, sent(client, item(1))))["1-1-answer"].result
    # then
    assert result.type == "succeeded"
    assert result.message.usage.service_tier == "batch"
    assert alone.usage.service_tier == "standard"
    bare = {"usage": {"service_tier": True}}
    assert result.message.model_dump(exclude=bare) == alone.model_dump(exclude=bare)
    assert "".join(b.text for b in result.message.content if b.type == "text").startswith(
        "[simulated]"
    )


def test_nothing_shows_progress_and_results_are_not_there_before_the_end(
    slow: tuple[State, anthropic.Anthropic],
) -> None:
    # given
    _, client = slow
    made = sent(client, item(1), item(2))
    # when
    seen = client.messages.batches.retrieve(made.id)
    # then
    assert (seen.processing_status, counts(seen)) == ("in_progress", {"processing": 2})
    with pytest.raises(anthropic.AnthropicError):
        client.messages.batches.results(made.id)
    with pytest.raises(anthropic.BadRequestError):
        client.messages.batches.delete(made.id)
    raw = httpx2.get(
        f"{client.base_url}/v1/messages/batches/{made.id}/results", headers={"x-api-key": "k"}
    )
    assert (raw.status_code, raw.json()["error"]["type"]) == (404, "not_found_error")


def test_a_cancelled_batch_ends_with_nothing_billed(
    slow: tuple[State, anthropic.Anthropic],
) -> None:
    # given
    state, client = slow
    made = sent(client, item(1), item(2))
    # when
    cancelling = client.messages.batches.cancel(made.id)
    done = ended(client, made)
    # then
    assert (cancelling.processing_status, counts(cancelling)) == ("canceling", {"processing": 2})
    assert cancelling.cancel_initiated_at is not None
    assert cancelling.cancel_initiated_at >= made.created_at
    assert done.cancel_initiated_at == cancelling.cancel_initiated_at
    assert counts(done) == {"canceled": 2}
    assert {line.result.type for line in results(client, done).values()} == {"canceled"}
    assert state.counts.batch_items.total() == 0


def test_cancelling_what_has_ended_changes_nothing(client: anthropic.Anthropic) -> None:
    # given
    done = ended(client, sent(client, item(1)))
    # then
    assert client.messages.batches.cancel(done.id) == done


@pytest.mark.parametrize(
    ("requests", "words"),
    [
        ([], "at least one request"),
        ([item(1), item(1)], "requests.1.custom_id: is not unique"),
        ([{**item(1), "custom_id": "a b"}], "requests.0.custom_id: must match"),
        ([{**item(1), "custom_id": "a\n"}], "requests.0.custom_id: must match"),
        ([{**item(1), "custom_id": "x" * 65}], "requests.0.custom_id: must match"),
        ([{**item(1), "custom_id": ""}], "requests.0.custom_id: must match"),
        ([{**item(1), "custom_id": 7}], "requests.0.custom_id: must match"),
        (["?"], "requests.0.custom_id: must match"),
    ],
)
def test_a_batch_is_refused_as_a_whole_only_for_its_outside(
    client: anthropic.Anthropic, simulator: tuple[State, str], requests: list[Any], words: str
) -> None:
    with pytest.raises(anthropic.BadRequestError) as caught:
        client.messages.batches.create(requests=requests)
    assert words in str(caught.value.api_message)
    assert simulator[0].batches == {}


def test_more_than_100_000_requests_are_refused(client: anthropic.Anthropic) -> None:
    requests = [{"custom_id": str(number), "params": {}} for number in range(100_001)]
    with pytest.raises(anthropic.BadRequestError) as caught:
        client.messages.batches.create(requests=requests)  # type: ignore[arg-type]
    assert "at most 100000 requests" in str(caught.value.api_message)


def test_batches_are_listed_newest_first_page_by_page(client: anthropic.Anthropic) -> None:
    # given
    made = [sent(client, item(number)).id for number in range(7)]
    newest = made[::-1]
    # when
    every = [batch.id for batch in client.messages.batches.list(limit=2)]
    middle = client.messages.batches.list(limit=2, before_id=newest[5])
    first = client.messages.batches.list(limit=2, before_id=newest[1])
    # then
    assert every == newest
    assert ([batch.id for batch in middle.data], middle.has_more) == (newest[3:5], True)
    assert ([batch.id for batch in first.data], first.has_more) == (newest[:1], False)
    with pytest.raises(anthropic.BadRequestError):
        client.messages.batches.list(limit=1_001)


def test_a_batch_can_be_unknown_for_a_second_after_it_was_made(
    client: anthropic.Anthropic, told: Told
) -> None:
    # given
    told(create="404")
    # when
    made = sent(client, item(1))
    with pytest.raises(anthropic.NotFoundError):
        client.messages.batches.retrieve(made.id)
    # then
    listed = [batch.id for batch in client.messages.batches.list()]
    assert listed == [made.id]

    def look() -> bool:
        try:
            return client.messages.batches.retrieve(made.id).processing_status == "ended"
        except anthropic.NotFoundError:
            return False

    assert eventually(look)


def test_a_lost_reply_to_create_leaves_an_orphan_that_a_listing_finds(
    client: anthropic.Anthropic, told: Told
) -> None:
    # given
    told(create="drop")
    # when
    with pytest.raises(anthropic.APIConnectionError):
        sent(client, item(1))
    # then
    (orphan,) = client.messages.batches.list()
    assert list(results(client, ended(client, orphan))) == ["1-1-answer"]


def test_a_create_can_be_refused_or_fail(client: anthropic.Anthropic, told: Told) -> None:
    told(create="refuse")
    with pytest.raises(anthropic.BadRequestError):
        sent(client, item(1))
    told({"purpose": "create"}, status=529)
    with pytest.raises(anthropic.OverloadedError):
        sent(client, item(1))
    assert list(client.messages.batches.list()) == []
