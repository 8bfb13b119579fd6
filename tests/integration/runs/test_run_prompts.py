"""Prompts belong to policies, and a run keeps those that it began with, whatever is on disk."""

from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Engine

from tests.support.cli import say
from tests.support.promises import many, one
from tests.support.works import drain, unexplained, working
from worker.config.loading import load_settings
from worker.sandbox.simulator.state import State
from worker.store.runs import RunRef

TOML = """
[canary]
enabled = false
[tiers.haiku]
model = "claude-haiku-5-5"
[policies.acme]
extends = "single:haiku"
prompts = "prompts/acme"
[policies.zeta]
extends = "single:haiku"
prompts = "prompts/zeta"
"""
ANSWERS = """SELECT r.name, substring(c.output FROM 'from (\\w+)') AS said, a.prompt_version
FROM calls AS c JOIN attempts AS a USING (job_id, fence) JOIN jobs AS j ON j.id = c.job_id
JOIN runs AS r ON r.id = j.run_id WHERE c.purpose = 'answer' ORDER BY r.id"""


@pytest.fixture
def companies(configured: None, tmp_path: Path, simulator: tuple[State, str]) -> Path:
    """Two companies in one installation; the model says whose instructions it had."""
    (tmp_path / "rung.toml").write_text(TOML)
    for name in ("acme", "zeta"):
        folder = tmp_path / "prompts" / name
        folder.mkdir(parents=True)
        (folder / "answer.md").write_text(f"You answer for the company {name}.")
    simulator[0].moods.replace([said("acme"), said("zeta"), said("new")])
    return tmp_path / "prompts"


def said(name: str) -> dict[str, Any]:
    return {
        "match": {"purpose": "answer", "contains": f"company {name}"},
        "do": {"merge": {"reply": f"Greetings from {name}"}},
    }


def enqueue(directory: Path, run: str, policy: str) -> None:
    path = directory / f"{run}.csv"
    path.write_text(f"external_id,body\n{run}-1,Where is my parcel?\n")
    assert say("enqueue", str(path), "--policy", policy, "--run", run).code == 0


def test_two_companies_in_one_installation_and_a_prompt_that_changes(
    companies: Path, engine: Engine, tmp_path: Path
) -> None:
    # given: a worker that started before anything was submitted
    with working(load_settings()) as runtime:
        enqueue(tmp_path, "a", "acme")
        enqueue(tmp_path, "z", "zeta")
        # when: a prompt changes on disk while its run waits, and another run begins
        (companies / "acme" / "answer.md").write_text("You answer for the company new.")
        enqueue(tmp_path, "b", "acme")
        drain(runtime)

    # then: each run has those that it began with, and its receipts name them
    rows = many(engine, ANSWERS)
    assert [(row.name, row.said) for row in rows] == [("a", "acme"), ("z", "zeta"), ("b", "new")]
    assert len({row.prompt_version for row in rows}) == 3
    frozen = many(engine, "SELECT prompts ->> 'answer' FROM runs ORDER BY id")
    assert [row[0] for row in frozen] == [row.prompt_version for row in rows]
    for number, name in enumerate("azb", 1):
        assert unexplained(engine, RunRef(id=number, name=name, lane="realtime", priority=0)) == []

    # then: rules that are the same have one version, wherever the prompts lie
    assert one(engine, "SELECT count(DISTINCT policy_version) FROM runs WHERE name <> 'z'")[0] == 1


def test_versions_are_listed_with_their_use(
    companies: Path, engine: Engine, tmp_path: Path
) -> None:
    with working(load_settings()) as runtime:
        enqueue(tmp_path, "a", "acme")
        drain(runtime)
        (companies / "acme" / "answer.md").write_text("You answer for the company new.")
        enqueue(tmp_path, "b", "acme")
    listed = {row["version"]: row for row in say("prompts", "--json").document}
    old, new = [row[0] for row in many(engine, "SELECT prompts ->> 'answer' FROM runs ORDER BY id")]
    assert (listed[old]["in_force_for"], listed[new]["in_force_for"]) == ([], ["acme"])
    assert (listed[old]["calls"], listed[old]["newest_run"], listed[old]["runs"]) == (1, "a", 1)
    each = float(listed[old]["cost_usd"])
    assert float(listed[old]["per_thousand_usd"]) == pytest.approx(1_000 * each, rel=0.1)
    assert each > 0
    assert (listed[new]["calls"], listed[new]["per_thousand_usd"]) == (0, None)
    # then: what no run has asked with is named by its file, the judge's prompt too
    unused = {row["prompt"] for row in listed.values() if not row["runs"]}
    assert unused == {"judge"}
    assert say("prompts", old[:8]).out.strip() == "You answer for the company acme."
    assert "no prompt 'ffff'" in say("prompts", "ffff").err

    # then: lists of runs and the comparison of two name them
    assert old[:7] in say("runs").out
    found = say("diff", "a", "b", "--json").document
    assert (found["run_a"]["prompts"]["answer"], found["run_b"]["prompts"]["answer"]) == (old, new)
    assert f"prompt {new[:7]}" in say("diff", "a", "b").out


@pytest.mark.parametrize(
    ("folder", "words"),
    [
        ("prompts/nowhere", "and there is no such folder."),
        ("prompts/acmee", "and there is no such folder; did you mean acme?"),
        ("prompts", "and there is no answer.md in it."),
    ],
)
def test_prompts_that_are_not_there_are_a_sentence(
    folder: str, words: str, companies: Path, tmp_path: Path
) -> None:
    (tmp_path / "rung.toml").write_text(TOML.replace("prompts/acme", folder))
    checked = say("config", "check")
    assert (checked.code, words in checked.err) == (6, True)
    path = tmp_path / "x.csv"
    path.write_text("external_id,body\n1,Hello there?\n")
    assert say("enqueue", str(path), "--policy", "acme").code == 6


def test_an_empty_prompt_is_named_before_anything_is_stored(
    companies: Path, engine: Engine, tmp_path: Path
) -> None:
    (companies / "acme" / "answer.md").write_text(" \n")
    path = tmp_path / "x.csv"
    path.write_text("external_id,body\n1,Hello there?\n")
    refused = say("enqueue", str(path), "--policy", "acme")
    assert (refused.code, "answer.md is empty" in refused.err) == (6, True)
    assert one(engine, "SELECT count(*) FROM runs")[0] == 0
