"""A suite that cannot fail proves nothing: each safeguard is switched off, here and nowhere else,
and then a promise is seen to break. With it on, the same story ends well.

The result's primary key has no switch: nothing gets past it.
"""

import pytest

from tests.faults.safeguards import SAFEGUARDS
from tests.faults.stories import Story
from tests.faults.test_state_machine import Protocol
from tests.support import servers as serving
from tests.support.bench import Bench, benched


def tell(bench: Bench, story: Story) -> None:
    """Tells the story to its end, and checks every promise after it."""
    told = type("Told", (Protocol,), {"bench": bench})()
    story(told)
    told.teardown()


@pytest.mark.parametrize("name", SAFEGUARDS)
def test_without_it_a_promise_is_seen_to_break(
    name: str, servers: serving.Servers, seed: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    safeguard = SAFEGUARDS[name]
    with benched(servers) as bench:
        # given: with the safeguard, all is well
        tell(bench, safeguard.story)
        # when
        safeguard.off(monkeypatch, bench)
        with pytest.raises(AssertionError) as caught:
            tell(bench, safeguard.story)
    # then
    assert caught.match(safeguard.broken)
