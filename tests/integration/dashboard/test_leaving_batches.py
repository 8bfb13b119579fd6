"""A run leaves the batch lane by a button: where Claude has none, and where they are too slow."""

import httpx2
from sqlalchemy import Engine

from models.vocabulary import Lane
from tests.integration.dashboard.test_actions import BODIES, confirm, events, preview
from tests.support.promises import do, one
from tests.support.works import drain, hand_in, working
from worker.config.settings import Settings
from worker.store.queue.leaving_batch import pause_lane


def test_a_run_that_wants_batches_where_there_are_none_goes_on_one_by_one_by_its_button(
    client: httpx2.Client, engine: Engine, settings: Settings
) -> None:
    # given
    hand_in(engine, settings, BODIES, name="night", lane=Lane.BATCH, policy="single:haiku")
    pause_lane(engine, [1])
    for path in ("/", "/runs/night"):
        (troubles,) = preview(client, path).root.all("ul", cls="troubles")
        (item,) = (one for one in troubles.all("li") if "no batches" in one.text)
        (button,) = item.all("a", cls="button")
        assert button.text == "Answer night one by one"
    page = preview(client, button.attributes["href"])
    assert "20 open messages will be answered one by one, at full price" in page.text
    # when
    after = confirm(client, page)
    # then
    assert "run night is answered one by one from now on." in after.text
    with working(settings) as runtime:
        drain(runtime)
    assert one(engine, "SELECT DISTINCT j.lane, j.state, r.lane, r.state FROM jobs AS j"
               " JOIN runs AS r ON r.id = j.run_id") == (
        "realtime", "answered", "realtime", "finished")  # fmt: skip
    assert client.get("/actions/realtime?run=night").status_code == 409
    assert events(engine)[1:] == [
        ("local", "move to the realtime lane", "run night", 20),
        ("local", "resume", "run night", 1),
    ]


def test_what_is_at_claude_is_asked_anew_once_the_run_leaves_its_batches(
    client: httpx2.Client, engine: Engine, settings: Settings
) -> None:
    hand_in(engine, settings, BODIES, name="night", lane=Lane.BATCH)
    do(engine, "UPDATE jobs SET state = 'submitted', tier = 'haiku' WHERE id <= 3")
    hand_in(engine, settings, BODIES[:1], name="day")
    # when
    page = preview(client, "/actions/realtime?run=night")
    # then
    assert "3 messages of them are in batches" in page.text
    assert client.get("/actions/realtime?run=day").status_code == 409
    assert client.get("/actions/realtime?tier=haiku").status_code == 422
    assert client.get("/actions/priority?tier=haiku&to=3").status_code == 422
