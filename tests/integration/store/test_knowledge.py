"""Knowledge in Postgres: synced by content, searched for a whole chunk."""

from dataclasses import replace

import pytest
from sqlalchemy import Engine, text

from worker.domain.pages import SourcePage
from worker.store import knowledge
from worker.store.knowledge import sync_folder
from worker.store.passages import Query, find_passages, stored_folders

RETURNS = SourcePage(
    name="returns", path="returns.md", title="Returns", language="en", also="money back",
    markdown="# Returns\n\nParcels are returned within 30 days.\n\n## Damaged\n\nSend a photo.",
)  # fmt: skip
CARDS = SourcePage(
    name="karten", path="karten.md", title="Karten", language="de",
    markdown="# Karten\n\nVerlorene Karten werden ersetzt.",
)  # fmt: skip


def names(engine: Engine, said: str, language: str | None = "en", *folders: str) -> list[str]:
    with engine.connect() as connection:
        found = find_passages(
            connection, [Query(key=7, text=said, folders=folders or ("ours",), language=language)]
        )
    return [passage.name for passage in found[7]]


def test_pages_are_found_by_the_stems_of_their_language(engine: Engine) -> None:
    # given
    done = sync_folder(engine, "ours", [RETURNS, CARDS])
    # then
    assert (done.pages, done.passages, done.added) == (2, 3, 2)
    assert names(engine, "I am returning a parcel")[0] == "returns#returns"
    assert names(engine, "it came damaged, here are photos") == ["returns#damaged"]
    assert names(engine, "Ich habe meine Karte verloren", "de") == ["karten#karten"]
    assert set(names(engine, "my money!")) == {"returns#returns", "returns#damaged"}, "by `also`"
    assert names(engine, "nothing of the kind") == []
    assert names(engine, "parcel", "en", "theirs") == [], "another folder is another's"


def test_the_same_pages_again_change_nothing(engine: Engine) -> None:
    first = sync_folder(engine, "ours", [RETURNS, CARDS])
    again = sync_folder(engine, "ours", [CARDS, RETURNS])
    assert (again.added, again.changed, again.removed) == (0, 0, 0)
    assert again.version == first.version


def test_a_page_that_changed_is_found_as_it_is_now(engine: Engine) -> None:
    # given
    before = sync_folder(engine, "ours", [RETURNS, CARDS])
    changed = replace(RETURNS, markdown="# Returns\n\nBoxes come back within 60 days.")
    # when
    done = sync_folder(engine, "ours", [changed])
    # then
    assert (done.added, done.changed, done.removed, done.passages) == (0, 1, 1, 1)
    assert done.version != before.version
    assert names(engine, "parcel") == []
    assert names(engine, "boxes") == ["returns#returns"], "its id lasts"
    assert names(engine, "Karte", "de") == []
    with engine.connect() as connection:
        assert stored_folders(connection)["ours"].version == done.version
        left = connection.execute(text("SELECT count(*) FROM knowledge_postings")).scalar_one()
        words = connection.execute(text("SELECT count(*) FROM knowledge_words")).scalar_one()
    assert left == words > 0, "nothing is left of what is gone"


def test_a_chunk_is_searched_at_once_and_each_gets_its_own(engine: Engine) -> None:
    sync_folder(engine, "ours", [RETURNS])
    sync_folder(engine, "theirs", [CARDS])
    queries = [
        Query(key=1, text="parcels", folders=("ours",)),
        Query(key=2, text="Karten", folders=("theirs",), language="de"),
        Query(key=3, text="parcels", folders=("theirs",)),
        Query(key=4, text="x" * 10_000 + " parcels", folders=("ours", "theirs")),
        Query(key=5, text="", folders=("ours",)),
    ]
    with engine.connect() as connection:
        found = find_passages(connection, queries)
    assert {key: [one.name for one in each] for key, each in found.items()} == {
        1: ["returns#returns"], 2: ["karten#karten"], 3: [], 4: [], 5: [],
    }  # fmt: skip


@pytest.mark.parametrize("said", ["'; DROP TABLE jobs; --", "a & b | !c", "\\", "100%", "\u200b"])
def test_any_words_may_be_looked_for(engine: Engine, said: str) -> None:
    sync_folder(engine, "ours", [RETURNS])
    assert names(engine, said) == []


@pytest.mark.parametrize(
    ("said", "found"),
    [
        ("parcl", True), ("parceel", True), ("pracel", True), ("parxel", True),
        ("percale", False), ("house", False), ("parc", False), ("parcel7", False),
    ],
)  # fmt: skip
def test_one_typing_error_in_a_word_does_not_keep_its_page_from_being_found(
    said: str, found: bool, engine: Engine
) -> None:
    hours = replace(CARDS, name="hours", language="en", markdown="# Open\n\nOur hours are long.")
    sync_folder(engine, "ours", [RETURNS, hours])
    assert names(engine, said) == (["returns#returns"] if found else [])


def test_a_word_that_is_right_counts_for_more_and_spellings_go_with_their_words(
    engine: Engine,
) -> None:
    others = [replace(CARDS, name=one, language="en", markdown=f"# X\n\nA {one}.")
              for one in ("flower", "flowers", "blower")]  # fmt: skip
    sync_folder(engine, "ours", others)
    with engine.connect() as connection:
        found = find_passages(connection, [Query(key=7, text="blower", folders=("ours",))])[7]
    assert [one.page for one in found] == ["blower"], "nothing is looked for beside it"
    sync_folder(engine, "ours", [RETURNS])
    left = "SELECT count(*) FROM knowledge_spellings WHERE word LIKE '%lower%'"
    with engine.connect() as connection:
        assert connection.execute(text(left)).scalar_one() == 0


def test_pages_are_written_a_few_at_once_and_what_only_goes_leaves_no_words(
    engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(knowledge, "PAGES_AT_ONCE", 1)
    assert sync_folder(engine, "ours", [RETURNS, CARDS]).passages == 3
    done = sync_folder(engine, "ours", [CARDS])
    assert (done.added, done.changed, done.removed, done.passages) == (0, 0, 1, 1)
    with engine.connect() as connection:
        counted = connection.execute(text("SELECT word FROM knowledge_words")).scalars().all()
        stood = connection.execute(text("SELECT word FROM knowledge_postings")).scalars().all()
    assert set(counted) == set(stood)
