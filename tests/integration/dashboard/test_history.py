"""An hour of history on the first page, and a ladder whose figures lead to their jobs."""

import re

import httpx2
from sqlalchemy import Engine

from tests.support.pages import Page
from tests.support.promises import do, one
from tests.support.works import drain, hand_in, make_due, working
from worker.config.settings import Settings
from worker.store.queue.minutes import note_minute

BACK = """
UPDATE minutes SET at = date_trunc('minute', now()) - interval '1 minute',
  taken_at = now() - interval '1 minute'
"""
BODIES = [f"A complicated case, number {n}: please help me." for n in range(14)]
SPLIT = """
DELETE FROM results WHERE job_id BETWEEN 2 AND 8;
UPDATE jobs SET state = 'dead', reason = 'schema' WHERE id IN (2, 3);
UPDATE jobs SET state = 'cancelled' WHERE id = 4;
UPDATE jobs SET state = 'routed', tier = 'sonnet', finished_at = NULL WHERE id = 5;
UPDATE jobs SET state = 'submitted', tier = 'opus', finished_at = NULL WHERE id = 6;
UPDATE jobs SET state = 'queued', tier = NULL, finished_at = NULL WHERE id = 7;
UPDATE jobs SET state = 'submitted', tier = NULL, finished_at = NULL WHERE id = 8;
"""


def shown(client: httpx2.Client, path: str) -> Page:
    answer = client.get(path)
    assert answer.status_code == 200, answer.text
    return Page(answer.text)


def worked(engine: Engine, settings: Settings) -> None:
    with working(settings) as runtime:
        for _ in range(4):
            drain(runtime)
            make_due(engine)


def test_each_minute_is_noted_once_and_shown(
    client: httpx2.Client, engine: Engine, settings: Settings
) -> None:
    # given
    hand_in(engine, settings, BODIES, name="day")
    assert not shown(client, "/").root.all("figure", cls="plot")
    do(engine, "INSERT INTO minutes (at) VALUES (now() - interval '26 hours')")
    noted = [note_minute(engine), note_minute(engine)]
    worked(engine, settings)
    do(engine, "INSERT INTO call_error_totals VALUES ('haiku', 'realtime', '500', 0, 3)")
    # when: the next minute has come
    do(engine, BACK)
    noted.append(note_minute(engine))
    page = shown(client, "/")
    # then
    assert noted == [True, False, True]
    assert one(engine, "SELECT count(*) FROM minutes")[0] == 2
    last = one(engine, "SELECT * FROM minutes ORDER BY at DESC LIMIT 1")
    spent = one(engine, "SELECT sum(cost) FROM calls")[0]
    assert (last.ended, last.waiting, last.at_claude) == (14, 0, 0)
    assert (last.failed_calls, last.spent) == (3, spent)
    figures = [f.all("p")[-1].text for f in page.root.all("figure", cls="plot")]
    assert len(figures) == 4
    assert re.match(r"\d+ at \d\d:\d\d", figures[0])
    assert len(page.root.all("rect", cls="place")) == 4 * 15
    assert "The last 15 minutes" in page.text


def test_every_figure_of_the_ladder_leads_to_as_many_jobs(
    client: httpx2.Client, engine: Engine, settings: Settings
) -> None:
    # given
    for name in ("day", "night"):
        hand_in(engine, settings, BODIES, name=name)
    worked(engine, settings)
    do(engine, SPLIT)
    do(engine, "UPDATE runs SET finished_at = NULL, state = 'active'")
    for path, runs in (("/", "run = ANY('{1,2}')"), ("/runs/day", "run_id = 1")):
        # when
        ladder = shown(client, path).root.all("svg", cls="wide")[0]
        figures = {link.text: link.attributes["href"] for link in ladder.all("a")}
        # then
        assert len(figures) >= 10, figures
        for words, href in figures.items():
            (counted,) = re.findall(r"^[\d,]+", words)
            listed = shown(client, href).text
            assert (f" of {counted} " in listed) or counted == "0", (path, words, href, runs)
