"""`rung clusters`: what broke today, and one verdict for all that are alike."""

import pytest
from sqlalchemy import Engine

from models.vocabulary import Verdict
from tests.support.cli import say
from tests.support.promises import ME, do, many
from tests.support.works import hand_in, settings_for
from worker.errors import UsageError
from worker.runs.alike import catch_up, verdicts_on
from worker.store.actions.reviews import Judged
from worker.store.actions.verdict_sheets import give_verdicts

SAID = "The app shows error {} when I pay, and it was working until this morning"


@pytest.fixture
def outage(engine: Engine, database_url: str, configured: None) -> Engine:
    """Six messages about one outage and two about something else, all in review."""
    settings = settings_for(database_url, "http://127.0.0.1:1")
    bodies = [SAID.format(n) for n in range(6)]
    bodies += ["Where is my card? It was due on Monday.", "How do I close my account?"]
    hand_in(engine, settings, bodies, name="today")
    do(engine, "UPDATE jobs SET state = 'review', tier = 'opus', finished_at = now()")
    return engine


def test_what_is_alike_is_shown_once_and_its_text_when_asked(outage: Engine) -> None:
    (found,) = say("clusters", "--json").document
    assert (found["messages"], found["like"], found["states"]) == (
        6,
        "today/today-0",
        {"review": 6},
    )
    assert "text" not in found
    assert SAID[:20] not in say("clusters").out
    assert say("clusters", "today", "--text", "--json").document[0]["text"] == SAID.format(0)


def test_one_verdict_is_for_all_that_are_alike_and_wait(outage: Engine) -> None:
    # given: one of them has a verdict already
    say("review", "--reject", "today/today-5", "--reason", "known")
    # when
    said = say("clusters", "--reject", "today/today-2", "--reason", "outage")
    # then
    assert (said.code, "5 jobs: reject" in said.err) == (0, True)
    rows = many(outage, "SELECT reason, count(*) FROM reviews GROUP BY 1 ORDER BY 1")
    assert rows == [("known", 1), ("outage", 5)]
    again = say("clusters", "--reject", "today/today-2", "--reason", "outage")
    assert (again.code, "does not wait for a verdict" in again.err) == (2, True)
    assert say("clusters", "--accept", "1", "--reject", "2").code == 2
    assert say("clusters", "--review", "--json").document == []


def test_whoever_judges_one_of_them_meanwhile_is_not_overruled(outage: Engine) -> None:
    like = Judged(job_id=3, verdict=Verdict.REJECT, reason="outage")
    catch_up(outage)
    with outage.connect() as connection:
        sheet = verdicts_on(connection, None, like)
    assert [one.job_id for _, one in sheet] == [1, 2, 3, 4, 5, 6]
    say("review", "--reject", "today/today-4", "--reason", "theirs")
    with pytest.raises(UsageError, match="has given a verdict on job 5 meanwhile"):
        give_verdicts(outage, ME, sheet)
    assert many(outage, "SELECT job_id, reason FROM reviews") == [(5, "theirs")]
