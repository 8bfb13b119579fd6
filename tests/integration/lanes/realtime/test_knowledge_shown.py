"""Pages are found for each message, shown, kept with the attempt, and what an answer makes up
climbs."""

from dataclasses import replace
from pathlib import Path

import pytest
from sqlalchemy import Engine

from models.vocabulary import Lane, Purpose
from tests.support.looking_up import functions
from tests.support.nights import night, night_settings, rounds
from tests.support.promises import many
from tests.support.receipts import receipt
from tests.support.works import drain, hand_in, unexplained
from worker.claude.prompts import prompts_of
from worker.config.policies import policy_named
from worker.config.settings import Settings
from worker.domain.filter_parsing import parse
from worker.domain.pages import SourcePage, version_of_pages
from worker.domain.policy import Policy
from worker.domain.prompts import prompt
from worker.lookups.embedding import embed_folders
from worker.sandbox.simulator.state import State
from worker.store.filter_sql import JOINED, condition
from worker.store.knowledge import sync_folder
from worker.store.reading.prompts import prompt_uses
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
            "why_empty": None,
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


def numbered(settings: Settings, **shown: object) -> Policy:
    own = standing(settings)
    return replace(own, context=replace(own.context, **shown), ladder=("haiku",))  # type: ignore[arg-type]


@pytest.mark.parametrize("lane", [Lane.REALTIME, Lane.BATCH])
def test_few_pages_stand_whole_in_the_prompt_and_the_receipt_says_why(
    lane: Lane, engine: Engine, database_url: str, simulator: tuple[State, str]
) -> None:
    # given few pages, and messages enough to share their cache
    pages = [RETURNS, *(replace(OTHERS[0], name=f"p{n}", title=f"P{n}") for n in range(12))]
    sync_folder(engine, "pages", pages)
    simulator[0].moods.replace([said("Send it back within 30 days; the label costs 4.90 EUR.")])
    settings = night_settings(database_url, simulator[1])
    with night(settings) as (runtime, batches):
        bodies = [f"{BODY} I am number {n}." for n in range(20)]
        own = numbered(settings)
        kept = prompts_of(settings, own)
        run = hand_in(engine, settings, bodies, policy=own, lane=lane, prompts=kept)
        if lane is Lane.BATCH:
            rounds(runtime, batches)
        else:
            drain(runtime)
    # then every answer was asked of one prompt, which holds all of them
    asked = "SELECT DISTINCT prompt_version, context_digest FROM attempts WHERE stage = 'answer'"
    ((version, digest),) = many(engine, asked)
    ((text, base),) = many(engine, "SELECT text, base FROM prompts WHERE base IS NOT NULL")
    assert (prompt(Purpose.ANSWER, text).version, digest) == (version, None)
    assert all(f'id="{page.name}' in text for page in pages)
    assert base == many(engine, "SELECT prompts ->> 'answer' FROM runs")[0][0]
    # and the facts of a cited page are known, also to a replay
    assert many(engine, "SELECT DISTINCT state FROM jobs") == [("answered",)]
    assert unexplained(engine, run) == []
    with engine.connect() as connection:
        found = receipt(connection, many(engine, "SELECT min(id) FROM jobs")[0][0])
        listed = [one.version for one in prompt_uses(connection)]
    words = found["attempts"][-1]["pages"]
    assert words.startswith("whole, which costs less: ")
    assert "for 20 messages" in words
    assert str(lane) in words
    assert version not in listed
    assert base in listed
    # and what stood on a page that changed is found
    assert changed(engine) == 0
    sync_folder(engine, "pages", [replace(RETURNS, markdown="# Returns\n\nNo."), *pages[1:]])
    assert changed(engine) == 20


@pytest.mark.parametrize(
    ("shown", "messages", "whole", "by"),
    [
        ({}, 1, False, "cost"),
        ({"pages": "whole"}, 1, True, "policy"),
        ({"pages": "searched"}, 3, False, "policy"),
    ],
)
def test_a_policy_may_say_it_and_one_message_alone_is_searched_for(
    shown: dict[str, object], messages: int, whole: bool, by: str, engine: Engine,
    database_url: str, simulator: tuple[State, str],
) -> None:  # fmt: skip
    others = (replace(OTHERS[0], name=f"p{n}", title=f"P{n}") for n in range(12))
    sync_folder(engine, "pages", [RETURNS, *others])
    settings = night_settings(database_url, simulator[1])
    with night(settings) as (runtime, _):
        bodies = [f"{BODY} I am number {n}." for n in range(messages)]
        own = numbered(settings, **shown)
        hand_in(engine, settings, bodies, policy=own, prompts=prompts_of(settings, own))
        drain(runtime)
    assert many(engine, "SELECT whole, by FROM run_knowledge") == [(whole, by)]
    ((passages,),) = many(
        engine, "SELECT bool_and(context_digest IS NOT NULL) FROM attempts WHERE stage = 'answer'"
    )
    assert passages is not whole


@pytest.mark.parametrize(
    ("function", "shown"),
    [
        ("semantic", ["phones#phones", "returns#returns"]),
        ("words", ["returns#returns"]),
        ("raising", ["returns#returns"]),
    ],
)
def test_what_a_retriever_finds_stands_beside_what_words_find(
    function: str, shown: list[str], engine: Engine, database_url: str,
    simulator: tuple[State, str], tmp_path: Path,
) -> None:  # fmt: skip
    sync_folder(engine, "pages", [RETURNS, *OTHERS])
    settings = night_settings(
        database_url,
        simulator[1],
        retrievers={"mine": f"{functions(tmp_path)}:{function}"},
    )
    with night(settings) as (runtime, _):
        hand_in(engine, settings, [BODY], policy=numbered(settings, retriever="mine"))
        drain(runtime)
        runtime.mind_lookups()
    (job,) = many(engine, "SELECT id FROM jobs")
    with engine.connect() as connection:
        found = receipt(connection, job.id)["attempts"][-1]["context"]
    assert sorted(one["id"] for one in found) == shown
    failing = many(engine, "SELECT name, on_failure FROM lookup_failures")
    assert failing == ([] if function == "semantic" else [("retriever:mine", "without")])


def test_a_page_that_changed_takes_effect_at_the_next_claim(
    engine: Engine, database_url: str, simulator: tuple[State, str]
) -> None:
    settings = night_settings(database_url, simulator[1])
    shown = list[str]()
    with night(settings) as (runtime, _):
        for days in ("30", "31", "30"):
            page = replace(RETURNS, markdown=RETURNS.markdown.replace("30", days))
            sync_folder(engine, "pages", [page, *OTHERS])
            hand_in(engine, settings, [BODY], policy=numbered(settings), name=f"r{len(shown)}")
            drain(runtime)
            (job,) = many(engine, "SELECT max(id) AS id FROM jobs")
            with engine.connect() as connection:
                attempt = receipt(connection, job.id)["attempts"][-1]
            shown.append(f"{attempt['knowledge_version']} {attempt['context'][0]['text'][-45:]}")
    assert ["31 days" in one for one in shown] == [False, True, False]
    assert (shown[0] == shown[2], shown[0] == shown[1]) == (True, False)


@pytest.mark.parametrize("synced", [True, False])
def test_what_means_the_same_in_other_words_is_found_where_pgvector_is(
    synced: bool, engine: Engine, database_url: str,
    simulator: tuple[State, str], tmp_path: Path,
) -> None:  # fmt: skip
    # given a message that shares no word with the page that answers it
    sync_folder(engine, "pages", [RETURNS, *OTHERS])
    settings = night_settings(
        database_url, simulator[1], embedders={"mine": f"{functions(tmp_path)}:meaning"}
    )
    policy = numbered(settings, retriever="mine")
    own = {"extends": "fallback", "knowledge": ["pages"], "context": {"retriever": "mine"}}
    named = settings.model_copy(update={"policies": {"acme": own}})
    if synced:
        said_of = embed_folders(named, engine, ["pages"])
        if "not installed on the server" in said_of[0]:
            pytest.skip(f"passages are not found by meaning here: {said_of[0]}")
        assert said_of == ["pages: 3 vectors by mine (3 new)"]
    # when
    with night(settings) as (runtime, _):
        hand_in(engine, settings, ["Refund?"], policy=policy)
        drain(runtime)
        runtime.mind_lookups()
    # then
    (job,) = many(engine, "SELECT id FROM jobs")
    with engine.connect() as connection:
        found = receipt(connection, job.id)["attempts"][-1]["context"] or []
    failing = many(engine, "SELECT name, why FROM lookup_failures")
    if synced:
        assert (found[0]["id"], failing) == ("returns#returns", [])
    else:
        assert found == []
        assert "pgvector is not in this database" in failing[0].why
