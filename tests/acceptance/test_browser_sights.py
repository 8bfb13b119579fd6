"""What stands still, as whoever opens the first page meets it in Debian's Chromium: what is wrong,
since when, what that does to the deadline, and the button that helps."""

import re
import shutil
from collections.abc import Callable
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Engine

from models.vocabulary import Lane
from tests.acceptance.test_browser_actions import said
from tests.support.chromium import BODIES, NEEDED, Visit
from tests.support.cli import say
from tests.support.promises import do, one
from tests.support.works import drain, hand_in, make_due, working
from worker.claude.prompts import default_directory, load_prompts
from worker.config.settings import Settings
from worker.domain.canary import words as canary_words
from worker.domain.prompts import Prompts
from worker.lanes.realtime.runtime import Runtime
from worker.lanes.upkeep.budget_stops import tell_of_stops
from worker.store.actions import holds
from worker.store.actions.caps import set_budget
from worker.store.actions.selection import Selection
from worker.store.audit import Actor
from worker.store.queue import halts, rate_holds

pytestmark = NEEDED
ADA = Actor("ada")
AT = r"(?:\d+ \w{3} \d{4} )?\d\d:\d\d"
DONE = "0 of 5 messages are done"
BY = rf"{AT}, in 4[56] min"
STOPPED = rf"Nothing goes on: haiku cannot send\. {DONE}; day has to be done by {BY}\."
HAIKU = "single:haiku"
FAILED = """
INSERT INTO canaries (tier, prompt_version, schema_version, model, bad, failed_jobs)
VALUES ('haiku', 'p', 's', 'm', 5, '{1,2,3,4,5}')
"""
SEEN = "UPDATE workers SET seen_at = now() + interval '1 hour'"
AT_CLAUDE = """
INSERT INTO message_batches (stage, tier, model, requests, state, submitted_at, next_poll_at) VALUES
 ('answer', 'haiku', 'claude-haiku-5-5', 5, 'submitted', now() - interval '7 minutes 9 seconds',
  now() + interval '20 minutes 10 seconds')
"""


def pause(engine: Engine, runtime: Runtime) -> None:
    holds.pause_queue(engine, ADA, "haiku", "lunch")


def ask_for_silence(engine: Engine, runtime: Runtime) -> None:
    rate_holds.note_hold(engine, ["haiku"], 900, 1_200)


def fail_a_canary(engine: Engine, runtime: Runtime) -> None:
    do(engine, FAILED)
    with engine.begin() as connection:
        halts.halt(connection, "haiku", canary_words("haiku", 0, 5, ["malformed"]))


def spend_the_budget(engine: Engine, runtime: Runtime) -> None:
    set_budget(engine, ADA, Selection(run_id=1, run_name="day"), Decimal("0.000001"))
    drain(runtime)
    make_due(engine)
    drain(runtime)
    tell_of_stops(engine)


SIGHTS: list[tuple[Callable[[Engine, Runtime], None], str, str, str, str]] = [
    (pause, STOPPED, rf"haiku is paused by ada, since {AT}: lunch; 5 messages wait\.",
     "Resume haiku", "haiku goes on."),
    (ask_for_silence, rf"Not done before haiku may send again, at {AT} \(Claude asked for a"
     rf" pause\): 5 wait there, and the deadline is at {BY}\. {DONE}\.",
     rf"haiku is held since {AT}, until {AT}: Claude asked for 20 min of silence \(429\), and is"
     r" asked again sooner; 5 messages wait\. It goes on by itself then\.",
     "Try haiku at once", "haiku goes on."),
    (fail_a_canary, STOPPED, rf"haiku is paused by Rung’s canary, since {AT}: 5 of the first 5"
     r" calls .* failed, the last one: malformed; 5 messages wait\. Look at the answers that"
     r" failed\..*failed answer 1, .* failed answer 5",
     "Resume anyway", "haiku goes on, and its new prompt is trusted."),
    (spend_the_budget, rf"Stopped by its budget, and the deadline is at {BY}\. {DONE}\.",
     rf"day is stopped by its budget since {AT}: <\$0\.0001 of its budget is left and the next call"
     r" may cost up to \$[\d.]+; about \$[\d.]+ would be enough for all of it, which is"
     r" likely to cost about \$[\d.]+\.",
     "Raise the budget", "The budget of run day is $0.0100 now."),
]  # fmt: skip


def seen(visit: Visit) -> tuple[str, str]:
    """The first page: its headline, and the one thing that it says is wrong."""
    visit.page.goto("/")
    words = visit.page.locator(".troubles li .said").inner_text()
    return str(visit.page.locator("h1").inner_text()).strip(), re.sub(r"\s+", " ", words)


def follow(visit: Visit, helps: str) -> None:
    """Follows the button to its preview, takes the figure that it proposes where it asks for one,
    and confirms."""
    visit.page.locator(".troubles").get_by_role("link", name=helps, exact=True).click()
    visit.page.wait_for_url("**/actions/**")
    asks = visit.page.get_by_role("button", name="What would it do?")
    if asks.count():
        asks.click()
    visit.page.get_by_text("It is written to the audit.").wait_for()
    visit.page.locator("form[method=post] button").last.click()
    visit.page.locator(".notice").wait_for()


def changed_prompt(folder: Path) -> Prompts:
    """Those of the example company, with one more line."""
    shutil.copytree(default_directory(), folder)
    with (folder / "answer.md").open("a") as answer:
        answer.write("\nBe brief.\n")
    return load_prompts(folder)


@pytest.mark.usefixtures("configured")
def test_who_sees_it_for_the_first_time_is_told_what_is_wrong_and_what_helps(
    chromium: Any, url: str, engine: Engine, settings: Settings, tmp_path: Path
) -> None:
    hand_in(engine, settings, BODIES[:5], name="day", policy=HAIKU, prompts=load_prompts(None))
    do(engine, "UPDATE runs SET deadline = now() + interval '45 minutes 59 seconds'")
    do(engine, "UPDATE jobs SET state = 'routed', tier = 'haiku'")
    visit = Visit(chromium, url)
    with working(settings) as runtime:
        for happens, first, wrong, helps, done in SIGHTS:
            # given
            happens(engine, runtime)
            do(engine, SEEN)
            # when
            headline, trouble = seen(visit)
            # then
            assert re.fullmatch(first, headline), headline
            assert re.fullmatch(wrong, trouble), trouble
            # when
            follow(visit, helps)
            # then
            assert said(visit) == done
            rate_holds.carry_out_lifts(engine, lambda _queue: None)
            visit.page.goto("/")
            assert not visit.page.locator(".troubles").count()
        _half_way(visit, engine, runtime)
        _batch(visit, engine, settings, changed_prompt(tmp_path / "prompts"))
    visit.close()


def _half_way(visit: Visit, engine: Engine, runtime: Runtime) -> None:
    """A bill that says that it is none yet, and a verdict that counts at once."""
    do(engine, "UPDATE jobs SET available_at = now() + interval '1 hour' WHERE id > 3")
    drain(runtime)
    do(engine, SEEN)
    do(engine, "UPDATE jobs SET state = 'review', reason = 'low_confidence' WHERE id = 1")
    visit.page.goto("/")
    visit.page.get_by_text("3 of 5 messages are done").wait_for()
    (spent,) = one(engine, "SELECT sum(cost) FROM calls")
    bill = visit.page.get_by_role("region", name="Spend").inner_text()
    assert re.search(rf"Spend\s+so far\s+simulated\s+\${spent:.4f} of \$0\.0100 budget", bill), bill
    badge = visit.page.locator("nav a", has_text=re.compile(r"Review\s+1"))
    badge.click()
    visit.page.get_by_role("link", name="Judge them one by one").click()
    visit.page.locator("h1", has_text="1 of 1").wait_for()
    visit.page.keyboard.press("a")
    visit.page.locator("h1", has_text="1 of 1").wait_for(state="detached")
    assert not badge.count()


def _batch(visit: Visit, engine: Engine, settings: Settings, prompts: Prompts) -> None:
    """Nothing is wrong with what waits for a batch; what would be faster stands beside it. The run
    that began with another prompt says so."""
    hand_in(engine, settings, BODIES[:5], name="night", policy=HAIKU, lane=Lane.BATCH,
            prompts=prompts)  # fmt: skip
    do(engine, "UPDATE jobs SET state = 'submitted', tier = 'haiku' WHERE run_id = 2")
    do(engine, "UPDATE runs SET deadline = now() + interval '5 hours 59 seconds'")
    do(engine, AT_CLAUDE)
    visit.page.goto("/")
    told = visit.page.locator("p.fine").inner_text()
    assert re.match(r"Nothing is wrong\. 5 messages in 1 batch \(1 at Claude\); the oldest was sent"
                    rf" at {AT}, 7 min ago; next look in 20 min\.", told)  # fmt: skip
    night = visit.page.locator("li.run", has_text="night").inner_text()
    assert re.search(r"On time: done in about .*, at .*, .* before its deadline\.", night), night
    command = visit.page.locator("p.fine code").inner_text()
    assert command == "rung resume night --lane realtime"
    assert say(*command.split()[1:]).code == 0
    visit.page.goto("/runs")
    versions = re.findall(r"prompt (\w{7})", visit.page.locator("main").inner_text())
    assert versions[0] == prompts["answer"].version[:7] != versions[1]
    assert "batch" not in visit.page.locator("tr", has_text="night").inner_text()
