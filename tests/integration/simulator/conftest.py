"""The real SDK, without retries of its own, against a simulator of this test's own."""

from collections.abc import Callable, Iterator

import anthropic
import pytest

from worker.sandbox.simulator.moods import MoodRule
from worker.sandbox.simulator.state import State

Told = Callable[..., None]


@pytest.fixture
def client(simulator: tuple[State, str]) -> Iterator[anthropic.Anthropic]:
    """A client that gives up at the first error, within 20 seconds."""
    made = anthropic.Anthropic(
        api_key="sk-test", base_url=simulator[1], max_retries=0, timeout=20.0
    )
    with made:
        yield made


@pytest.fixture
def told(simulator: tuple[State, str]) -> Told:
    """`told(status=529)` puts the simulator in that mood; `match` says for which requests."""

    def tell(match: dict[str, object] | None = None, **do: object) -> None:
        simulator[0].moods.rules = [MoodRule(match or {}, do)]

    return tell
