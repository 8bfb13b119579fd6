"""`rung knowledge words`: what customers write, from answers on record into `also`."""

import json
from dataclasses import replace
from pathlib import Path

import pytest
from sqlalchemy import Engine

from tests.support.cli import say
from tests.support.near_misses import Rows
from worker.domain.pages import SourcePage
from worker.store.knowledge import sync_folder

SHOP = SourcePage(
    name="shop", path="shop.md", title="Orders", language="en",
    markdown="# Orders\n\nA parcel can be followed, and money comes back within 30 days.",
)  # fmt: skip
CARDS = SourcePage(
    name="cards", path="cards.md", title="Cards", language="en",
    markdown="# Cards\n\nA card is replaced.",
)  # fmt: skip
REFUNDS = ("I need a refund", "need refunds", "A Refund needed?", "need refund of my orders!")
OTHERS = ("My card!", "a card, please", "cards", "need help with a card")


@pytest.fixture
def answered(
    engine: Engine, database_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> tuple[str, ...]:
    """Two runs, whose answers stand on a page each."""
    monkeypatch.setenv("DATABASE_URL", database_url)
    monkeypatch.chdir(tmp_path)
    sync_folder(engine, "pages", [SHOP, CARDS])
    with engine.begin() as connection:
        rows = Rows(connection)
        for name, source, bodies in (
            ("monday", "shop#orders", REFUNDS), ("tuesday", "cards#cards", OTHERS),
        ):  # fmt: skip
            run, fields = rows.run(name=name), f'{{"sources": ["{source}"]}}'
            for body in bodies:
                job = rows.job(run, rows.message(body=body), state="answered")
                rows.attempt(job, outcome="accepted")
                rows.insert("results", None, job_id=job, fence=1, reply="r", tier="haiku",
                            model="m", accepted=True, fields=fields)  # fmt: skip
    return ("monday", "tuesday")


def test_words_that_a_page_lacks_are_learned_from_its_answers(answered: tuple[str, ...]) -> None:
    # neither what it says itself, nor words with which everybody asks
    said = say("knowledge", "words", *answered)
    assert said.out == "shop  (pages, 4 answers)\n  also: refund\n"
    assert "then sync them" in said.err
    assert json.loads(say("knowledge", "words", *answered, "--json").out) == [
        {"folder": "pages", "page": "shop", "answers": 4, "words": {"refund": 4}}
    ]
    assert say("knowledge", "words", "monday").out == "", "there is nothing beside it"


def test_a_page_that_was_given_its_words_lacks_none(
    answered: tuple[str, ...], engine: Engine
) -> None:
    # as long as a passage may be, too: there a word weighs least
    long = " ".join(f"w{number:04}" for number in range(240))
    sync_folder(
        engine, "pages", [replace(SHOP, also="refund", markdown=f"{SHOP.markdown} {long}"), CARDS]
    )
    said = say("knowledge", "words", *answered)
    assert (said.out, "None: the pages use" in said.err) == ("", True)
    # and without the pages nothing is known of any
    sync_folder(engine, "pages", [])
    assert "No accepted answer names a page" in say("knowledge", "words", *answered).err
