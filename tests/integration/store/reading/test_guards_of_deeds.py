"""Each condition of the statements that read the audit."""

from typing import Any

import pytest

from tests.support.near_misses import Rows
from worker.store.reading import deeds

PEOPLE, WHAT = ("ada", "bob", "eve"), ("cancel", "pause", "retry")
TARGETS = ("run night", "RUN day")


@pytest.fixture
def done(rows: Rows) -> list[tuple[int, str, str, str]]:
    """Each person has done each thing to each target, twice over."""
    rows.forget("audit_events")
    found = list[tuple[int, str, str, str]]()
    for _ in range(2):
        for who in PEOPLE:
            for what in WHAT:
                for target in TARGETS:
                    said = {"actor": who, "action": what, "target": target, "affected": 1}
                    event = rows.insert("audit_events", "id", **said, detail='{"where": "w"}')
                    found.append((event, who, what, target))
    return found


@pytest.mark.parametrize("target", [None, "Night"])
@pytest.mark.parametrize("what", [None, "pause"])
@pytest.mark.parametrize("who", [None, "bob"])
def test_what_was_done_by_whom_and_to_what(
    rows: Rows, done: list[Any], who: str | None, what: str | None, target: str | None
) -> None:
    # given
    before = done[-3][0]
    wanted = [
        event
        for event, actor, action, to in reversed(done)
        if (who or actor, what or action, target or "night") == (actor, action, target or "night")
        and (target is None or "night" in to)
    ]
    # when
    asked: dict[str, Any] = {"who": who, "what": what, "target": target, "reads": True}
    found = deeds.audit_page(rows.connection, None, 99, **asked)
    earlier = deeds.audit_page(rows.connection, before, 99, **asked)
    # then
    assert [one.id for one in found] == wanted
    assert [one.id for one in earlier] == [event for event in wanted if event < before]
    windowed = {"before": None, "limit": 99, "window": 3, "target": None, "who": who, "what": what}
    near = rows.firsts(deeds.AUDIT_OF[bool(who), bool(what)], **windowed)
    by_one = [e for e, actor, action, _ in reversed(done)
              if (who or actor) == actor and (bool(who) or (what or action) == action)]  # fmt: skip
    kinds = {event: action for event, _, action, _ in done}
    assert near == [
        event for event in reversed(by_one[:3]) if (what or kinds[event]) == kinds[event]
    ]


def test_who_ever_did_something_and_what(rows: Rows, done: list[Any]) -> None:
    assert rows.all(deeds.AUDIT_WORDS, most=99) == [(list(PEOPLE), list(WHAT))]
    assert rows.all(deeds.AUDIT_WORDS, most=2) == [(list(PEOPLE[:2]), list(WHAT[:2]))]
    rows.forget("audit_events")
    assert rows.all(deeds.AUDIT_WORDS, most=99) == [([], [])]


def test_one_of_them(rows: Rows, done: list[Any]) -> None:
    found = deeds.audit_event(rows.connection, done[3][0])
    assert found is not None
    assert (found.id, found.actor, found.action, found.target) == done[3]
    assert deeds.audit_event(rows.connection, 0) is None
