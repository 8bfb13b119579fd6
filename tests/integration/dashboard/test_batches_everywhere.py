"""Message Batches under way are the same at every door: how many, since when, and when somebody
looks next."""

import re
from contextlib import closing

import pytest
from sqlalchemy import Engine

from models.vocabulary import Lane
from tests.integration.cli.test_watching import drawn
from tests.support.apis import api_over
from tests.support.cli import say
from tests.support.nights import night, night_settings
from tests.support.pages import Page
from tests.support.promises import do
from tests.support.works import hand_in
from worker.cli.views.ladder import LadderView
from worker.cli.views.now import NowView
from worker.sandbox.simulator.state import State

BODIES = [f"Where is my card number {n}? It was due on Monday." for n in range(12)]


@pytest.mark.usefixtures("configured")
def test_how_many_are_at_claude_since_when_and_the_next_look_are_said_at_every_door(
    engine: Engine, database_url: str, redis_url: str, simulator: tuple[State, str]
) -> None:
    # given: two batches at Claude
    simulator[0].latency_scale = 1_000
    settings = night_settings(database_url, simulator[1], batch={"slice": 6}, redis_url=redis_url)
    with night(settings) as (_, lane):
        hand_in(engine, settings, BODIES, policy="single:haiku", lane=Lane.BATCH, name="night")
        lane.step()
    do(engine, "UPDATE message_batches SET submitted_at = now() - interval '7 minutes',"
       " next_poll_at = now() + interval '20 minutes 10 seconds'")  # fmt: skip
    # when
    with api_over(engine, settings) as api:
        first, of_run = (
            Page(api.client.get(path, headers={"Accept": "text/html"}).text)
            for path in ("/", "/runs/night")
        )
        pages = {path: page.text for path, page in (("/", first), ("/runs/night", of_run))}
        documents = [api.get("/api/status"), api.get("/api/runs/night")]
        (haiku,) = (line for line in documents[0]["queues"] if line["queue"] == "haiku")
    with closing(NowView(settings)) as view:
        everything = drawn(view.draw())
    documents += [say("status", "--json").document, say("status", "night", "--json").document]
    doors = pages | {
        "status": say("status").out,
        "status RUN": say("status", "night").out,
        "watch": drawn(LadderView(engine, settings, "night").draw()),
        "watch of all": everything,
    }
    # then
    said = re.compile(r"12 messages in 2 batches \(2 at Claude\); the oldest was sent at"
                      r" [^;]*\b\d\d:\d\d, 7 min ago; next look in 20 min")  # fmt: skip
    silent = {
        door: text for door, text in doors.items() if not said.search(re.sub(r"\s+", " ", text))
    }
    assert silent == {}
    for document in documents:
        found = document["batches_under_way"]
        assert (found["batches"], found["messages"]) == (2, 12)
        assert said.fullmatch(found["words"])
        assert found["oldest_since"]
        assert found["next_look_s"] == pytest.approx(1_205, abs=30)
    assert haiku["in_batches"] == 12
    # and in every table of queues, beside what waits
    (row,) = (row for row in first.rows("queues") if row[""] == "haiku")
    assert (row["waiting"], row["in flight"], row["in batches"]) == ("0", "0", "12")
    for table in (doors["status"], everything):
        (heading,) = (line for line in table.splitlines() if line.startswith("queue "))
        (haiku,) = (line for line in table.splitlines() if line.startswith("haiku "))
        place = heading.index("in batches")
        assert haiku[place : place + len("in batches")].strip() == "12"
    assert len(documents[1]["batches"]) == len(documents[3]["batches"]) == 2
