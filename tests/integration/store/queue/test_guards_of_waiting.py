"""Each condition of the statements that say what a run waits for, how its pages are shown, and
which passages are."""

from decimal import Decimal

from tests.support.near_misses import Rows
from worker.store import vector_indexes, vectors
from worker.store.queue import knowledge_ways, shown_passages, waiting
from worker.store.reading import job_counts


def test_what_is_left_of_a_run_that_waits(rows: Rows) -> None:
    # given
    mine, other = rows.run(tier_waits='{"haiku": 1}'), rows.run()
    for run, times in ((mine, 1), (other, 50)):
        rows.insert("budgets", None, scope=f"run:{run}", run_id=run, cap=times * 100,
                    overrun=times * 10, spent=times * 5, reserved=times * 2)  # fmt: skip
        for tier, state, jobs in (("haiku", "queued", 1), ("haiku", "routed", 2),
                                  ("opus", "submitted", 4), ("opus", "answered", 8),
                                  ("fable", "queued", 3), ("fable", "routed", -3)):  # fmt: skip
            rows.insert("run_counts", None, run_id=run, state=state, tier=tier, jobs=times * jobs)
    # then
    open_jobs = {"haiku": 3, "opus": 4}
    assert rows.all(waiting.WAITS, run=mine) == [({"haiku": 1}, Decimal(103), open_jobs)]
    assert rows.all(job_counts.OF_RUN, run=mine) == [(15,)]
    assert rows.all(knowledge_ways.MESSAGES, run=mine) == [(15,)]


def test_how_the_pages_of_a_run_are_shown(rows: Rows) -> None:
    # given
    mine, other = rows.run(), rows.run()
    for run, version, whole in ((mine, "a", True), (mine, "b", False), (other, "a", False)):
        rows.insert("run_knowledge", None, run_id=run, version=version, whole=whole, by="size",
                    shown="{}", model="m", lane="realtime", messages=1, tokens_whole=1,
                    tokens_searched=1, usd_whole=1, usd_searched=1)  # fmt: skip
    # then
    assert rows.all(knowledge_ways.KNOWN, run=mine, version="a") == [(True,)]
    ways = rows.connection.execute(knowledge_ways.WAYS, {"run": mine}).mappings()
    assert sorted(row["version"] for row in ways) == ["a", "b"]


def shelf(rows: Rows, name: str, passages: int) -> tuple[int, list[int]]:
    """A folder with so many passages."""
    folder = rows.insert("knowledge_folders", "id", name=name, version="v", passages=1, chars=1)
    return folder, [
        rows.insert("knowledge_passages", "id", folder_id=folder, page="p", name=f"p#{place}",
                    place=place, heading="h", text=f"said {place}", version="v")
        for place in range(passages)
    ]  # fmt: skip


def test_passages_are_read_by_their_folder_or_by_themselves(rows: Rows) -> None:
    rows.forget("knowledge_folders")
    (_, mine), (_, other) = shelf(rows, "mine", 2), shelf(rows, "other", 2)
    assert rows.firsts(shown_passages.READ_FOLDERS, folders=["mine"], most=9) == mine
    assert len(rows.firsts(shown_passages.READ_FOLDERS, folders=["mine"], most=1)) == 1
    assert rows.firsts(shown_passages.READ_SHOWN, ids=[mine[1]]) == mine[1:]
    assert other


def seen(rows: Rows, passage: int, folder: int, by: str, digest: str | None = None) -> None:
    """An embedder has seen a passage."""
    rows.insert("knowledge_vectors", None, embedder=by, digest=digest or f"d{passage}",
                passage_id=passage, vector=[1.0, 0.0], folder_id=folder)  # fmt: skip


def test_what_an_embedder_has_not_seen(rows: Rows) -> None:
    # given: it has seen the first; another embedder all, and it what is elsewhere
    rows.forget("knowledge_folders")
    (folder, mine), (elsewhere, other) = shelf(rows, "mine", 3), shelf(rows, "other", 3)
    seen(rows, mine[0], folder, "e")
    for passage in mine:
        seen(rows, passage, folder, "f")
    seen(rows, other[0], elsewhere, "e")
    rows.all("UPDATE knowledge_passages SET text = 'said 1' WHERE id = :id", id=other[2])
    asked = {"folder": "mine", "embedder": "e"}
    # then
    assert rows.firsts(vectors.UNSEEN, **asked) == mine[1:]
    assert rows.all(vectors.COUNT, **asked) == [(1, 3)]
    assert rows.firsts(vectors.FOLDERS, names=["mine"]) == [folder]
    # when: words that it has seen elsewhere are known
    every = rows.all(vectors.UNSEEN, folder="mine", embedder="none")
    digests = {row[0]: row[3] for row in every}
    rows.all("DELETE FROM knowledge_vectors WHERE passage_id = :id", id=other[0])
    seen(rows, other[0], elsewhere, "e", digests[mine[1]])
    seen(rows, other[1], elsewhere, "f", digests[mine[2]])
    seen(rows, other[1], elsewhere, "e", digests[mine[0]])
    rows.all(vectors.KNOWN_WORDS, **asked)
    # then
    by_it = "SELECT passage_id FROM knowledge_vectors WHERE embedder = 'e'"
    assert rows.firsts(by_it) == [*mine[:2], *other[:2]]


def test_passages_that_are_gone_are_forgotten_by_their_embedder(rows: Rows) -> None:
    # given
    rows.forget("knowledge_folders"), rows.forget("knowledge_vectors")
    folder, mine = shelf(rows, "mine", 2)
    for by in ("e", "f"):
        for passage in mine:
            seen(rows, passage, folder, by)
    rows.all("DELETE FROM knowledge_passages WHERE id = :id", id=mine[1])
    # when
    rows.all(vectors.FORGET_GONE, embedder="e")
    # then
    kept = rows.all("SELECT embedder, passage_id FROM knowledge_vectors ORDER BY 1, 2")
    assert kept == [("e", mine[0]), ("f", mine[0]), ("f", mine[1])]


def test_a_folder_of_enough_passages_has_an_index(rows: Rows) -> None:
    # given: another folder, and another embedder, have more
    rows.forget("knowledge_folders")
    (folder, mine), (elsewhere, other) = shelf(rows, "mine", 3), shelf(rows, "other", 4)
    for passage in mine:
        seen(rows, passage, folder, "e")
        seen(rows, passage, folder, "f")
    rows.all("UPDATE knowledge_vectors SET vector = '{1}' WHERE embedder = 'f'")
    for passage in other:
        seen(rows, passage, elsewhere, "e")
    values = {"folder": "mine", "embedder": "e"}
    # then
    assert rows.all(vector_indexes.MANY, enough=3, **values) == []
    # when the extension has the type that an index needs
    rows.all("CREATE DOMAIN halfvec AS real[]")
    # then
    assert rows.all(vector_indexes.MANY, enough=3, **values) == [(folder, 2)]
    assert rows.all(vector_indexes.MANY, enough=4, **values) == []


def test_whether_the_server_has_pgvector(rows: Rows) -> None:
    # A temporary table comes before what Postgres itself knows.
    rows.all("CREATE TEMPORARY TABLE pg_available_extensions (name text) ON COMMIT DROP")
    rows.all("INSERT INTO pg_available_extensions VALUES ('hstore')")
    assert rows.firsts(vectors.AVAILABLE) == [False]
    rows.all("INSERT INTO pg_available_extensions VALUES ('vector')")
    assert rows.firsts(vectors.AVAILABLE) == [True]
