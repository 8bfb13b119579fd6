"""Passages by meaning: an embedder is asked once for the same words, and the nearest are found."""

from collections.abc import Sequence
from dataclasses import replace

import pytest
from sqlalchemy import Engine, text

from tests.support.promises import many
from worker.domain.pages import SourcePage
from worker.domain.vectors import VectorsRefused, read_vectors
from worker.store.knowledge import sync_folder
from worker.store.vector_indexes import index_folder, is_indexed, near_in_index
from worker.store.vectors import Near, embed_folder, has_pgvector, install_pgvector, nearest

TOPICS = ("parcel", "card", "phone")


def page(name: str, said: str) -> SourcePage:
    return SourcePage(name=name, path=f"{name}.md", title=name, markdown=f"# {name}\n\n{said}")


class Embedder:
    """Sees by which of three words a text has, and remembers what it was asked."""

    def __init__(self) -> None:
        self.asked: list[str] = []

    def __call__(self, texts: Sequence[str]) -> list[list[float]]:
        self.asked += texts
        return [[1.0 + 9 * (topic in one.lower()) for topic in TOPICS] for one in texts]


@pytest.fixture
def embedder(engine: Engine) -> Embedder:
    """With pgvector in the database."""
    if (why := install_pgvector(engine)) is not None:
        pytest.skip(f"passages are not found by meaning here: {why}")
    return Embedder()


def near(
    engine: Engine, vector: Sequence[float], *folders: str, by: str = "mine", limit: int = 5
) -> list[str]:
    with engine.connect() as connection:
        asked = [Near(key=7, folders=folders, vector=vector)]
        return nearest(connection, by, asked, limit)[7]


def test_only_words_that_were_never_seen_are_asked_for(engine: Engine, embedder: Embedder) -> None:
    parcels, cards = page("parcels", "Parcels come."), page("cards", "A card is replaced.")
    sync_folder(engine, "pages", [parcels, cards])
    # when
    first = embed_folder(engine, "pages", "mine", embedder)
    again = embed_folder(engine, "pages", "mine", embedder)
    # then
    assert (first.passages, first.asked, again.passages, again.asked) == (2, 2, 2, 0)
    # when a page is written anew, of whose sections one says the same as before
    sync_folder(engine, "pages", [replace(parcels, title="Sent"), replace(cards, markdown="Card.")])
    changed = embed_folder(engine, "pages", "mine", embedder)
    assert (changed.passages, changed.asked) == (2, 1)
    assert len(many(engine, "SELECT passage_id FROM knowledge_vectors")) == 2
    # and another embedder sees for itself, and another folder has what was seen in this one
    assert embed_folder(engine, "pages", "theirs", embedder).asked == 2
    sync_folder(engine, "other", [replace(parcels, title="Sent")])
    assert embed_folder(engine, "other", "mine", embedder).asked == 0


def test_the_nearest_of_its_folders_are_found_in_their_order(
    engine: Engine, embedder: Embedder
) -> None:
    sync_folder(engine, "pages", [page(t, f"About a {t}.") for t in TOPICS])
    sync_folder(engine, "other", [page("elsewhere", "A phone.")])
    for folder in ("pages", "other"):
        embed_folder(engine, folder, "mine", embedder)
    assert near(engine, [1, 9, 2], "pages") == ["card#card", "phone#phone", "parcel#parcel"]
    assert near(engine, [1, 9, 2], "pages", limit=1) == ["card#card"]
    assert near(engine, [1, 9, 2], "other") == ["elsewhere#elsewhere"]
    assert near(engine, [1, 9, 2], "pages", by="theirs") == []
    assert near(engine, [1, 9], "pages") == [], "of another length, as after a change of models"
    assert near(engine, [1, 9, 2]) == []


def test_a_folder_of_many_is_searched_by_an_index_of_its_own(
    engine: Engine, embedder: Embedder
) -> None:
    sync_folder(engine, "pages", [page(t, f"About a {t}.") for t in TOPICS])
    sync_folder(engine, "other", [page("elsewhere", "A phone.")])
    for folder in ("pages", "other"):
        assert not embed_folder(engine, folder, "it's mine", embedder).indexed, "they are few"
    # when
    made = [index_folder(engine, folder, "it's mine", 2) for folder in ("pages", "pages", "other")]
    # then
    assert made == [True, True, False]
    with engine.begin() as connection:
        connection.execute(text("SET LOCAL enable_seqscan = off"))
        connection.execute(text("SET LOCAL enable_sort = off"))
        assert is_indexed(connection, 1, "it's mine", 3)
        values = {"rows": '[{"key": 7, "vector": [1, 9, 2]}]', "embedder": "it's mine", "limit": 2}
        asked = text("EXPLAIN " + near_in_index(3).text)
        plan = "\n".join(connection.execute(asked, values | {"folder": 1}).scalars())
        assert "Index Scan using ix_knowledge_near_1_" in plan
    found = ["card#card", "phone#phone", "parcel#parcel"]
    assert near(engine, [1, 9, 2], "pages", by="it's mine") == found
    assert near(engine, [1, 2, 9], "pages", "other", by="it's mine")[0] == "phone#phone"
    # and what a sync has taken away is passed over
    sync_folder(engine, "pages", [page(t, f"About a {t}.") for t in TOPICS[:2]])
    assert near(engine, [1, 9, 2], "pages", by="it's mine") == ["card#card", "parcel#parcel"]


def test_numbers_of_any_size_are_kept_by_where_they_point(
    engine: Engine, embedder: Embedder
) -> None:
    sync_folder(engine, "pages", [page(t, f"About a {t}.") for t in TOPICS])
    sizes = {"parcel": [1e-300, 0.0], "card": [1e300, 1e300], "phone": [0.0, 1e-40]}

    def embed(texts: Sequence[str]) -> list[list[float]]:
        brought = [next(sizes[t] for t in TOPICS if t in one.lower()) for one in texts]
        return read_vectors(brought, len(texts))

    embed_folder(engine, "pages", "mine", embed)
    assert near(engine, [2, 1], "pages") == ["card#card", "parcel#parcel", "phone#phone"]


def test_a_role_that_may_not_take_it_in_is_told_what_the_owner_does(
    engine: Engine, poor: Engine
) -> None:
    why = install_pgvector(poor)
    assert why is not None
    assert "CREATE EXTENSION IF NOT EXISTS vector" in why or "not installed on the server" in why
    with engine.connect() as connection:
        assert not has_pgvector(connection)


def test_an_extension_that_cannot_be_seen_is_not_taken_for_there(
    engine: Engine, embedder: Embedder
) -> None:
    with engine.begin() as connection:
        connection.execute(text("CREATE SCHEMA elsewhere"))
        connection.execute(text("ALTER EXTENSION vector SET SCHEMA elsewhere"))
    assert "not on this role's search_path" in (install_pgvector(engine) or "")


@pytest.mark.parametrize(
    ("brought", "words"),
    [
        (None, "brought no list for 2 texts"),
        ([[1.0]], "brought 1 vector for 2 texts"),
        ([[1.0], "x"], "no vector of numbers"),
        ([[1.0], 3], "no vector of numbers"),
        ([[1.0], [float("nan")]], "has one that is none"),
        ([[1.0], []], "is empty"),
        ([[1.0], [0.0]], "a vector of zeros"),
        ([[1.0], [1.0, 2.0]], "of different lengths"),
    ],
)
def test_what_is_no_vector_is_refused(brought: object, words: str) -> None:
    with pytest.raises(VectorsRefused, match=words):
        read_vectors(brought, 2)
