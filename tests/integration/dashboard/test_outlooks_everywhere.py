"""Whether a run will be done in time is one sentence at every door: pages, API, commands, what a
watch shows and writes, and notices."""

import re
from collections.abc import Callable
from contextlib import closing
from decimal import Decimal
from typing import Any

import pytest
from sqlalchemy import Engine, event

from models.vocabulary import Lane
from tests.integration.cli.test_watching import drawn
from tests.integration.dashboard.test_queues_everywhere import BODIES, SEEN, in_one_line, seen
from tests.integration.dashboard.test_queues_everywhere import api as api
from tests.support.apis import Api
from tests.support.cli import say
from tests.support.pages import Page
from tests.support.promises import do, many, one
from tests.support.works import drain, hand_in, make_due, working
from worker.cli.views.ladder import LadderView
from worker.cli.views.now import NowView
from worker.cli.watch import follow_in_lines
from worker.lanes.upkeep.budget_stops import tell_of_stops
from worker.lanes.upkeep.deadlines import watch_deadlines
from worker.store.actions import holds
from worker.store.actions.caps import set_budget
from worker.store.actions.selection import whole
from worker.store.audit import Actor

ADA = Actor("ada")
ROUTED = """
UPDATE jobs SET state = 'routed', tier = 'haiku',
  available_at = now() + CASE WHEN id > 3 THEN interval '1 hour' ELSE interval '0' END
"""
BEGUN = "UPDATE runs SET created_at = now() - interval '10 minutes'"
DUE = "UPDATE runs SET deadline = now() + make_interval(secs => :secs)"
STEADY = """
INSERT INTO run_paces (run_id, slot, at, done)
SELECT 1, n, now() - make_interval(secs => 30 * n),
  jsonb_build_object('haiku', 3 - n, 'ended', 3 - n) FROM generate_series(0, 3) AS n
"""
AT_CLAUDE = """
INSERT INTO message_batches (stage, tier, model, requests, state, submitted_at, next_poll_at) VALUES
 ('answer', 'haiku', 'claude-haiku-5-5', 5, 'submitted', now() - interval '7 minutes',
  now() + interval '20 minutes 10 seconds')
"""


def timeless(words: str) -> str:
    """With every span and clock alike: the doors are asked one after another."""
    words = re.sub(r"(\d+ \w{3} \d{4} )?\b\d\d:\d\d\b", "12:00", in_one_line(words))
    return re.sub(r"\b\d+(\.\d)? (s|min)\b", "1 min", words).lower()


def first_line(api: Api, run: str, capsys: pytest.CaptureFixture[str]) -> str:
    """What a watch writes into a log at once."""

    def leave(_seconds: float) -> None:
        raise KeyboardInterrupt

    capsys.readouterr()
    with pytest.raises(KeyboardInterrupt):
        follow_in_lines(api.engine, api.settings, run, leave)
    return capsys.readouterr().err


def one_sentence(api: Api, run: str, capsys: pytest.CaptureFixture[str]) -> str:
    """The sentence of a run, which all doors have; fails where one does not."""
    (told,) = say("status", "--json").document["runs"]
    words = api.get(f"/api/runs/{run}")["outlook"]["words"]
    doors = seen(api, "/", "/runs", f"/runs/{run}") | {
        "status": say("status").out,
        "status RUN": say("status", run).out,
        "status --json": told["outlook"]["words"],
        "status RUN --json": say("status", run, "--json").document["outlook"]["words"],
        "watch": drawn(LadderView(api.engine, api.settings, run).draw()),
        "line of a watch": first_line(api, run, capsys),
    }
    silent = {door for door, text in doors.items() if timeless(words) not in timeless(text)}
    assert silent == set(), words
    # All that goes on begins with one sentence on the first page and in a terminal.
    (first,) = Page(api.client.get("/", headers={"Accept": "text/html"}).text).root.all("h1")
    with closing(NowView(api.settings)) as view:
        assert timeless(first.text) in timeless(drawn(view.draw()))
    return timeless(words)


def noticed(api: Api, words: str) -> bool:
    """Whether somebody is told, in the same words; fails when it is in others."""
    tell_of_stops(api.engine)
    watch_deadlines(api.engine, api.settings)
    found = many(api.engine, "SELECT words FROM notices")
    do(api.engine, "DELETE FROM notices")
    # What a budget stop does to the deadline is beside it.
    assert all(words.partition(", and the deadline")[0] in timeless(told) for (told,) in found)
    return bool(found)


def test_when_a_run_will_be_done_is_one_sentence_at_every_door(
    api: Api, capsys: pytest.CaptureFixture[str]
) -> None:
    engine, told = api.engine, []

    def look(run: str = "day") -> None:
        do(engine, SEEN)
        words = one_sentence(api, run, capsys)
        told.append((words, noticed(api, words)))

    with working(api.settings) as runtime:
        # given a run that goes on steadily
        day = whole(hand_in(engine, api.settings, BODIES, name="day"))
        do(engine, ROUTED)
        drain(runtime)
        for statement in (BEGUN, STEADY):
            do(engine, statement)
        do(engine, DUE, secs=3_020)
        look()
        # when its tier is paused while its deadline is near
        do(engine, DUE, secs=80)
        holds.pause_queue(engine, ADA, "haiku", "lunch")
        look()
        # when its budget is spent
        holds.resume_queue(engine, ADA, "haiku")
        (spent,) = one(engine, "SELECT spent FROM budgets WHERE run_id = 1")
        set_budget(engine, ADA, day, spent + Decimal("0.000001"))
        for _ in range(2):
            make_due(engine)
            drain(runtime)
        look()
        # when another waits for a batch
        do(engine, "UPDATE runs SET state = 'cancelled', finished_at = now()")
        hand_in(engine, api.settings, BODIES, name="night", lane=Lane.BATCH)
        do(engine, "UPDATE jobs SET state = 'submitted', tier = 'haiku' WHERE run_id = 2")
        do(engine, DUE, secs=18_000)
        do(engine, AT_CLAUDE)
        look("night")
    # then
    expected = [
        (r"on time: done in about 1 min, at 12:00, 1 min before its deadline", False),
        (r"not done before haiku is resumed: 2 wait there, and the deadline is at 12:00, in 1 min",
         True),
        (r"stopped by its budget: .*; about \$[\d.]+ would be enough for all of it, which"
         r" is likely to cost about \$[\d.]+, and the deadline is at 12:00, in 1 min", True),
        (r"on time: done in about .*, at 12:00, .* before its deadline", False),
    ]  # fmt: skip
    for (words, notice), (pattern, wanted) in zip(told, expected, strict=True):
        assert re.fullmatch(pattern, words), words
        assert notice is wanted, words


def test_a_pause_that_a_run_will_meet_later_is_said_at_every_door_with_its_button(
    api: Api, capsys: pytest.CaptureFixture[str]
) -> None:
    # given: all of it waits to be routed, and where it will be routed to is paused
    hand_in(api.engine, api.settings, BODIES, name="day")
    do(api.engine, DUE, secs=3_020)
    holds.pause_queue(api.engine, ADA, "haiku", "lunch")
    with working(api.settings):
        do(api.engine, SEEN)
        # when
        words = one_sentence(api, "day", capsys)
        # then
        assert words == (
            "not done before haiku is resumed: about 5 will come there, and the deadline is at"
            " 12:00, in 1 min"
        )
        pages = seen(api, "/", "/runs/day")
        assert {path: "Resume haiku" in text for path, text in pages.items()} == dict.fromkeys(
            pages, True
        )
        # and a tier that its policy does not ask keeps nobody
        holds.resume_queue(api.engine, ADA, "haiku")
        holds.pause_queue(api.engine, ADA, "sonnet", "lunch")
        assert one_sentence(api, "day", capsys) == "the pace is being measured"


def test_the_batches_of_a_run_are_read_once_at_each_look(api: Api) -> None:
    # given
    hand_in(api.engine, api.settings, BODIES, name="night", lane=Lane.BATCH)
    do(api.engine, "UPDATE jobs SET state = 'submitted', tier = 'haiku'")
    do(api.engine, AT_CLAUDE)
    reads = list[str]()

    def note(_c: Any, _cursor: Any, statement: str, _b: Any, _context: Any, _m: bool) -> None:
        if "FROM message_batches AS b" in statement:
            reads.append(statement)

    looks: dict[str, Callable[[], object]] = {
        "status": lambda: say("status", "night"),
        "status --json": lambda: say("status", "night", "--json"),
        "API": lambda: api.get("/api/runs/night"),
        "page": lambda: seen(api, "/runs/night"),
        "watch": lambda: LadderView(api.engine, api.settings, "night").draw(),
    }
    event.listen(Engine, "before_cursor_execute", note)
    try:
        for name, look in looks.items():
            # when
            reads.clear()
            look()
            # then
            assert len(reads) == 1, name
    finally:
        event.remove(Engine, "before_cursor_execute", note)
