"""Pages are found for each message, shown, kept with the attempt, and what an answer makes up
climbs."""

from dataclasses import replace

import pytest
from sqlalchemy import Engine

from tests.support.nights import night, night_settings
from tests.support.promises import many
from tests.support.works import drain, hand_in, unexplained
from worker.config.policies import policy_named
from worker.config.settings import Settings
from worker.domain.filter_parsing import parse
from worker.domain.pages import SourcePage, version_of_pages
from worker.domain.policy import Policy
from worker.sandbox.simulator.state import State
from worker.store.filter_sql import JOINED, condition
from worker.store.knowledge import sync_folder
from worker.store.reading.receipts import receipt
from worker.store.reading.sources import cited_most

RETURNS = SourcePage(
    name="returns", path="returns.md", title="Returns", language="en",
    markdown="# Returns\n\nParcels are returned within 30 days; the label costs 4.90 EUR.",
)  # fmt: skip
OTHERS = [
    replace(RETURNS, name=name, title=name, markdown=f"# {name}\n\nAbout {name} alone.")
    for name in ("cards", "phones")
]
BODY = "How can I return my parcel?"


@pytest.fixture(autouse=True)
def _here(database_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DATABASE_URL", database_url)


def standing(settings: Settings) -> Policy:
    own = {
        "extends": "fallback",
        "knowledge": ["pages"],
        "accept": {"validators": [{"name": "schema"}, {"name": "grounded"}]},
    }
    return policy_named(settings.model_copy(update={"policies": {"acme": own}}), "acme")


def said(reply: str, model: str = "") -> dict[str, object]:
    match = {"purpose": "answer", "model": model}
    return {"match": match, "do": {"merge": {"reply": reply, "sources": ["returns#returns"]}}}


def changed(engine: Engine) -> int:
    from sqlalchemy import func, select

    with engine.connect() as connection:
        chosen = condition(parse("knowledge changed"))
        count = select(func.count()).select_from(JOINED).where(chosen)
        return int(connection.execute(count).scalar_one())


def test_an_amount_that_is_made_up_climbs_and_a_faithful_one_goes_out(
    engine: Engine, database_url: str, simulator: tuple[State, str]
) -> None:
    # given a page, and a Haiku that gets its price wrong
    synced = sync_folder(engine, "pages", [RETURNS, *OTHERS])
    simulator[0].moods.replace(
        [
            said("Send it back within 30 days; the label costs 9.90 EUR.", "haiku"),
            said("Send it back within thirty days; the label costs €4.90.", "sonnet"),
        ]
    )
    settings = night_settings(database_url, simulator[1])
    # when
    with night(settings) as (runtime, _):
        run = hand_in(engine, settings, [BODY], policy=standing(settings))
        drain(runtime)
    # then
    (job,) = many(engine, "SELECT id FROM jobs")
    with engine.connect() as connection:
        found = receipt(connection, job.id)
    first, second = (one for one in found["attempts"] if one["stage"] == "answer")
    assert first["reasons"] == ["grounded"]
    assert first["findings"][0]["finding"] == (
        "the amount '9.90 EUR' stands in nothing that was shown"
    )
    assert (second["tier"], found["result"]["accepted"]) == ("sonnet", True)
    assert second["context"] == [
        {
            "id": "returns#returns",
            "text": "## Returns\n\nParcels are returned within 30 days; the label costs 4.90 EUR.",
            "version": RETURNS.version,
        }
    ]
    assert unexplained(engine, run) == [], "replayed from what was shown then"
    assert second["knowledge_version"] == version_of_pages([("pages", synced.version)])

    with engine.connect() as connection:
        assert cited_most(connection, run.id) == [("returns#returns", 1)]

    # when the page changes
    assert changed(engine) == 0
    sync_folder(engine, "pages", [replace(RETURNS, markdown="# Returns\n\nNo more."), *OTHERS])
    # then the answer is found that stood on it, and goes on being explained
    assert changed(engine) == 1
    assert unexplained(engine, run) == []
    sync_folder(engine, "pages", [RETURNS, OTHERS[0]])
    assert changed(engine) == 0, "it reads as it did, and nobody cited the page that is gone"
