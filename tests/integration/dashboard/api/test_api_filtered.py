"""The HTTP API lists jobs by filter, and acts on what a filter chooses; it drains tiers."""

import pytest

from tests.support.apis import Api
from tests.support.promises import do, one
from tests.support.works import hand_in
from worker.store.actions import glances

BODIES = ["Where is my card?", "It was due on Monday.", "Please cancel my order.", "Hello?"]


def test_jobs_are_listed_by_filter_and_changed_by_the_same(api: Api) -> None:
    # given
    hand_in(api.engine, api.settings, BODIES)
    do(
        api.engine,
        "UPDATE jobs SET state = 'dead', tier = 'haiku', finished_at = now() WHERE id = 1",
    )
    do(api.engine, "UPDATE jobs SET state = 'review', finished_at = now() WHERE id = 2")
    where = "state = dead"
    listed = api.get("/api/jobs", where=where, run="run")
    pages = api.get("/api/jobs", limit=3)
    rest = api.get("/api/jobs", limit=3, before=pages["next"])
    assert [job["external_id"] for job in listed["jobs"]] == ["run-0"]
    assert (len(pages["jobs"]), len(rest["jobs"]), rest["next"]) == (3, 1, None)
    assert "place" not in listed["jobs"][0]
    # when
    preview = api.act(action="retry", where=where, preview=True)
    more = api.act(409, action="retry", where="state = dead or state = review", counted=0)
    done = api.act(action="retry", where=where, until=preview["until"], counted=1)
    # then
    assert (preview["target"], preview["affected"]) == (where, 1)
    assert "Nothing was changed: look again." in more["detail"]
    assert (done["affected"], done["event"] is not None) == (1, True)
    assert api.get("/api/jobs", where=where)["jobs"] == []
    for status, body in ((422, {"where": "stat = dead"}), (422, {"where": where, "tier": "haiku"})):
        api.act(status, action="cancel", **body)
    assert api.client.get("/api/jobs", params={"where": "no such"}).status_code == 400


def test_a_tier_is_drained(api: Api) -> None:
    hand_in(api.engine, api.settings, BODIES)
    do(api.engine, "INSERT INTO dispatches (job_id, queue) SELECT id, queue FROM jobs")
    assert api.act(action="drain", tier="routing")["target"] == "routing"
    assert one(api.engine, "SELECT count(*) FROM dispatches")[0] == 0
    status = api.get("/api/status")
    assert "Resume routing" in [trouble["help"] for trouble in status["troubles"]]
    assert status["headline"]["level"] == "bad"
    api.act(422, action="drain", run="run")


def test_a_preview_of_many_says_how_many_at_least_and_counts_all_for_who_asks(
    api: Api, monkeypatch: pytest.MonkeyPatch
) -> None:
    # given
    hand_in(api.engine, api.settings, [f"Where is card {n}?" for n in range(6)], name="more")
    monkeypatch.setattr(glances, "OPEN_LOOKED_AT", 2)
    asked = {"action": "cancel", "where": "state = queued and run = more"}
    # when
    quick, whole = api.act(**asked, preview=True), api.act(**asked, preview=True, count="all")
    # then
    assert (quick["affected"], quick["at_least"]) == (2, True)
    assert "The newest 2 were looked at" in quick["effect"][0]
    assert (whole["affected"], whole["at_least"]) == (6, False)
    assert "Answers in flight are paid for" in whole["effect"][1]
    # when: the deed counts by itself
    done = api.act(**asked, until=quick["until"])
    # then
    assert (done["affected"], done["at_least"]) == (6, False)
