"""Two companies in one installation: a message sees its own company's prompt, pages and orders."""

from dataclasses import replace
from pathlib import Path

import pytest
from sqlalchemy import Engine

from tests.support.looking_up import functions
from tests.support.promises import checked, many
from tests.support.works import drain, hand_in, settings_for, unexplained, working
from worker.claude.prompts import prompts_of
from worker.config.policies import policy_named
from worker.domain.pages import SourcePage
from worker.sandbox.simulator.state import State
from worker.store.knowledge import sync_folder
from worker.store.reading.receipts import receipt

COMPANIES = ("acme", "globex")
PAGE = SourcePage(
    name="returns", path="returns.md", title="Returns", language="en",
    markdown="# Returns\n\nParcels are returned within 30 days.",
)  # fmt: skip


def test_neither_sees_anything_of_the_other(
    engine: Engine,
    database_url: str,
    simulator: tuple[State, str],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    # given two policies, each with a prompt, a folder of pages and a look-up of its own
    monkeypatch.setenv("DATABASE_URL", database_url)
    path = f"{functions(tmp_path)}:orders"
    for name in COMPANIES:
        (tmp_path / name).mkdir()
        (tmp_path / name / "answer.md").write_text(f"You answer for {name}.", "utf-8")
        sync_folder(engine, name, [replace(PAGE, markdown=f"{PAGE.markdown} Says {name}.")])
    settings = settings_for(
        database_url,
        simulator[1],
        lookups={name: {"path": path, "options": {"state": f"by {name}"}} for name in COMPANIES},
        policies={
            name: {
                "extends": "single:haiku",
                "prompts": str(tmp_path / name),
                "knowledge": [name],
                "context": {"lookups": [name], "pages": "searched"},
            }
            for name in COMPANIES
        },
    )
    # when both have a run, of the same customer's same words, and one worker does both
    runs = {
        name: hand_in(
            engine,
            settings,
            ["How can I return my parcel?"],
            policy=name,
            name=name,
            customer_id="c-1",
            prompts=prompts_of(settings, policy_named(settings, name)),
        )
        for name in COMPANIES
    }
    with working(settings) as runtime:
        drain(runtime)
    # then each was shown its own, and is explained by it
    jobs = many(engine, "SELECT j.id, r.name FROM jobs AS j JOIN runs AS r ON r.id = j.run_id")
    versions = set()
    for job, name in jobs:
        (other,) = set(COMPANIES) - {name}
        with engine.connect() as connection:
            attempt = receipt(connection, job).attempts[-1]
        version = attempt.prompt_version
        (prompt,) = many(engine, f"SELECT text FROM prompts WHERE version = '{version}'")
        shown = " ".join(piece.text for piece in attempt.context)
        assert f"by {name}" in shown
        assert f"Says {name}." in shown
        assert other not in shown
        assert f"You answer for {name}." in prompt.text
        versions.add(version)
        assert unexplained(engine, runs[name]) == []
    assert len(versions) == len(jobs) == 2
    checked(engine, simulator)
