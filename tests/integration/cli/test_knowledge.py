"""`rung knowledge`: pages go in, are found, are weighed, and what they lack is said."""

import json
from pathlib import Path

import pytest
from sqlalchemy import Engine, text

from tests.support.cli import say
from tests.support.works import hand_in, settings_for

TOML = """
[policies.acme]
extends = "single:haiku"
knowledge = ["pages"]
"""

LEFT_UNANSWERED = (
    "UPDATE jobs SET state = 'review', finished_at = now(), reason = 'not_covered', tier = 'haiku'"
)


@pytest.fixture
def shop(database_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A directory with a rung.toml and a folder of pages, and a database."""
    monkeypatch.setenv("DATABASE_URL", database_url)
    monkeypatch.chdir(tmp_path)
    (tmp_path / "rung.toml").write_text(TOML)
    (tmp_path / "pages").mkdir()
    (tmp_path / "pages" / "returns.md").write_text("# Returns\n\nParcels come back within 30 days.")
    (tmp_path / "pages" / "cards.md").write_text("# Cards\n\nA card is replaced.")
    return tmp_path


def test_pages_are_synced_found_and_weighed(shop: Path, engine: Engine) -> None:
    # given nothing was synced
    assert "have not been read yet" in say("knowledge", "search", "card", "--policy", "acme").err
    (shop / "rows.csv").write_text("external_id,body\n1,Where is my card?\n")
    tried = say("enqueue", "rows.csv", "--policy", "acme", "--dry-run")
    assert "the pages of 'pages', and they were never synced" in tried.out + tried.err
    assert "Note: policy acme shows" in tried.err  # it is not of a line
    # when
    synced = say("knowledge", "sync")
    # then
    assert (synced.code, "pages: 2 pages, 2 passages (2 new" in synced.out) == (0, True)
    tried = say("enqueue", "rows.csv", "--policy", "acme", "--dry-run")
    assert "never synced" not in tried.out + tried.err
    again = json.loads(say("knowledge", "sync", "--json").out)
    assert (again["folders"][0]["added"], again["folders"][0]["changed"]) == (0, 0)
    found = json.loads(say("knowledge", "search", "my", "parcel", "--json").out)
    assert [one["name"] for one in found] == ["returns#returns"]
    said = say("knowledge", "search", "my parcel", "--policy", "acme").out
    assert said.startswith("returns#returns")
    assert "Returns, pages, version" in said
    costs = json.loads(say("knowledge", "cost", "--json").out)
    assert [row["lane"] for row in costs] == ["realtime", "batch"]
    assert costs[0]["usd_searched"] > costs[1]["usd_searched"]


def test_a_folder_that_was_emptied_is_said(shop: Path, engine: Engine) -> None:
    say("knowledge", "sync")
    for page in (shop / "pages").iterdir():
        page.unlink()
    emptied = say("knowledge", "sync")
    assert (emptied.code, "2 gone" in emptied.out) == (3, True)
    assert f"there is no page in {shop / 'pages'}" in emptied.err


def test_a_folder_that_is_not_here_keeps_no_other_companys(shop: Path, engine: Engine) -> None:
    # given two companies, both synced
    (shop / "other").mkdir()
    (shop / "other" / "fees.md").write_text("# Fees\n\nA transfer costs nothing.")
    with (shop / "rung.toml").open("a") as file:
        file.write('\n[policies.other]\nextends = "ladder"\nknowledge = ["other"]\n')
    assert say("knowledge", "sync").code == 0
    # when the folder of one is gone, and a page of the other changes
    (shop / "other" / "fees.md").unlink()
    (shop / "other").rmdir()
    (shop / "pages" / "cards.md").write_text("# Cards\n\nA card is replaced twice.")
    synced = say("knowledge", "sync")
    # then
    assert (synced.code, "1 changed" in synced.out) == (3, True)
    assert f"other: there is no folder {shop / 'other'} on this host; left as it was" in synced.err
    kept = json.loads(say("knowledge", "search", "transfer", "--json").out)
    assert [one["name"] for one in kept] == ["fees#fees"]
    # and whoever names it is told at once
    assert say("knowledge", "sync", "other").code == 2


def test_a_page_that_is_left_out_is_exit_code_3(shop: Path, engine: Engine) -> None:
    (shop / "pages" / "empty.md").write_text(" ")
    tried = say("knowledge", "sync", "--dry-run")
    assert (tried.code, "it is empty" in tried.err) == (3, True)
    with engine.connect() as connection:
        assert connection.execute(text("SELECT count(*) FROM knowledge_pages")).scalar_one() == 0


def test_what_no_page_says_is_grouped(shop: Path, engine: Engine, database_url: str) -> None:
    # given three messages that nothing answered, and one that waits for another reason
    bodies = ["Do you sell gift cards?", "Is there a gift card?", "Where is your office?", "Help!"]
    hand_in(engine, settings_for(database_url, "http://127.0.0.1:9"), bodies)
    with engine.begin() as connection:
        connection.execute(text(LEFT_UNANSWERED))
        connection.execute(
            text("UPDATE jobs SET reason = 'refused' WHERE id = (SELECT max(id) FROM jobs)")
        )
    # when
    found = say("knowledge", "gaps")
    # then
    assert "    2 about gift card  (" in found.out
    assert "    1 about other things" in found.out


def test_a_search_for_a_policy_asks_its_embedder_as_its_messages_do(
    shop: Path, engine: Engine
) -> None:
    # given an embedder, for which money is what parcels are about
    (shop / "embed.py").write_text(
        "async def embed(texts):\n"
        "    return [[1.0 + 9 * ('parcel' in t.lower() or 'refund' in t), 1.0] for t in texts]\n"
    )
    own = (
        '[policies.acme.context]\npages = "searched"\nretriever = "mine"\n'
        '[embedders]\nmine = "embed.py:embed"\n'
    )
    (shop / "rung.toml").write_text(TOML + own)
    asked = ("knowledge", "search", "refund", "--policy", "acme")
    say("knowledge", "sync", "pages", "--dry-run")
    assert "never synced" in say("doctor").out
    # when
    synced = say("knowledge", "sync")
    # then
    if "No vectors are kept" in synced.err:
        assert "words alone decide" in say(*asked).err
        pytest.skip(synced.err)
    assert "pages: 2 vectors by mine (2 new)" in synced.err
    found = say(*asked)
    assert (found.code, found.out.split()[0]) == (0, "returns#returns")
    assert "by meaning" in found.out
    assert "there, for mine" in say("doctor").out
    with engine.begin() as connection:
        connection.execute(text("DELETE FROM knowledge_vectors WHERE passage_id = 1"))
    assert "mine has seen 1 of 2 passages of pages" in say("doctor").out
    tried = say("config", "try", "refund", "--policy", "acme")
    assert "Parcels come back within 30 days" in tried.out
