"""A backlog up the whole ladder by each cloud's door: a worker process, real servers, the SDK's
own client, and every kind of refusal on the way."""

import json
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Engine

from tests.integration.claude.test_doors import Sim
from tests.support.checker import Checker, ledger_against
from tests.support.processes import RUNG, clean_environ, process, rung
from tests.support.promises import many, one
from tests.support.waiting import eventually
from tests.support.works import make_due

pytestmark = pytest.mark.slow
SAMPLE = Path(__file__).parents[3] / "examples" / "backlog.jsonl"
MESSAGES = 30
LADDER = ("haiku", "sonnet", "opus")


@dataclass(frozen=True, slots=True)
class Cloud:
    """A door: its models' ids, how each refusal is told there, and where the SDK asks."""

    via: str
    model: str
    throttled: str
    not_ready: str
    forbidden: str
    failed: tuple[int, str]
    path: str
    root: str = ""


CLOUDS = [
    Cloud(
        "bedrock",
        "eu.anthropic.claude-{}-5-5-v1:0",
        throttled="429 ThrottlingException",
        not_ready="429 ModelNotReadyException",
        forbidden="403 AccessDeniedException",
        failed=(424, "424 ModelErrorException"),
        path="/model/{model}/invoke",
    ),
    Cloud(
        "vertex",
        "claude-{}-5-5@default",
        throttled="429 RESOURCE_EXHAUSTED",
        not_ready="503 UNAVAILABLE",
        forbidden="403 PERMISSION_DENIED",
        failed=(500, "500 INTERNAL"),
        path="/v1/projects/{project}/locations/{region}/publishers/anthropic/models/{model}",
        root="/v1",
    ),
]
DEAR = {"input": "5.5", "output": "27.5"}
"""Opus's, in dollars a million tokens: with what the region adds."""


def configured_for(cloud: Cloud) -> str:
    """A rung.toml with the ladder of that door."""
    tiers = "".join(
        f'[tiers.{tier}]\nmodel = "{cloud.model.format(tier)}"\nmax_in_flight = 8\n'
        "rpm = 4000\nitpm = 2_000_000\notpm = 400_000\n"
        for tier in LADDER
    )
    prices = "".join(f"{name} = {value}\n" for name, value in DEAR.items())
    return (
        f'[claude]\nvia = "{cloud.via}"\nregion = "europe-west1"\nproject = "acme"\n{tiers}'
        f'[prices."{cloud.model.format("opus")}"]\n{prices}[batch]\npoll_s = 1\n'
    )


def moods_of(cloud: Cloud) -> list[dict[str, Any]]:
    """Each refusal once, by the tier that meets it first, and answers that climb."""
    not_ready: dict[str, Any] = {"status": int(cloud.not_ready[:3])}
    if cloud.via == "bedrock":
        not_ready["type"] = cloud.not_ready[4:]
    low = {"merge": {"confidence": 0.1}}
    return [
        {"match": {"purpose": "classify", "first": 1}, "do": {"status": 429}},
        {"match": answers("haiku", first=1), "do": {"status": cloud.failed[0]}},
        {"match": answers("sonnet", first=1), "do": not_ready},
        {"match": answers("opus", first=1), "do": {"status": 403}},
        {"match": answers("haiku", every=3), "do": low},
        {"match": answers("sonnet", every=2), "do": low},
    ]


def answers(model: str, **which: int) -> dict[str, Any]:
    return {"purpose": "answer", "model": model, **which}


@dataclass(frozen=True, slots=True)
class Place:
    """A directory with a configuration, and how commands find the servers there."""

    root: Path
    environ: dict[str, str]

    def run(self, *arguments: str, **environ: str) -> subprocess.CompletedProcess[str]:
        return rung(*arguments, environ={**self.environ, **environ}, cwd=self.root)

    def done(self, *arguments: str, **environ: str) -> str:
        """What a command that must succeed says on stdout."""
        ended = self.run(*arguments, **environ)
        assert ended.returncode == 0, ended.stderr
        return ended.stdout


@pytest.fixture(params=CLOUDS, ids=lambda cloud: cloud.via)
def cloud(request: pytest.FixtureRequest) -> Cloud:
    found: Cloud = request.param
    return found


@pytest.fixture
def place(
    cloud: Cloud,
    database_url: str,
    redis_url: str,
    simulator: Sim,
    tmp_path: Path,
    aws: None,
    google: list[str],
) -> Place:
    (tmp_path / "rung.toml").write_text(configured_for(cloud))
    rows = SAMPLE.read_text("utf-8").splitlines(keepends=True)
    (tmp_path / "day.jsonl").write_text("".join(rows[:MESSAGES]))
    (tmp_path / "late.jsonl").write_text("".join(rows[MESSAGES : MESSAGES + 5]))
    url = simulator[1] + cloud.root
    made = clean_environ(DATABASE_URL=database_url, REDIS_URL=redis_url, ANTHROPIC_BASE_URL=url)
    return Place(tmp_path, made)


def ended(engine: Engine, run: str) -> bool:
    """Whether nothing of a run is left but what opus keeps while it is paused. What was put off is
    due at once."""
    make_due(engine)
    return not one(
        engine,
        "SELECT count(*) FROM jobs WHERE finished_at IS NULL"
        " AND run_id = (SELECT id FROM runs WHERE name = :run)"
        " AND NOT (tier = 'opus' AND EXISTS (SELECT FROM tiers WHERE name = 'opus' AND paused))",
        run=run,
    )[0]


def test_a_backlog_climbs_the_ladder_of_a_cloud(
    engine: Engine, simulator: Sim, cloud: Cloud, place: Place
) -> None:
    # given a door that refuses once in each way, and a run from before that wants batches
    state, _ = simulator
    state.moods.replace(moods_of(cloud))
    refused = place.run("enqueue", "late.jsonl", "--lane", "batch")
    assert (refused.returncode, "--lane realtime" in refused.stderr) == (2, True)
    before = {"RUNG_CLAUDE__VIA": "api", "ANTHROPIC_API_KEY": "sk-test"}
    place.done("enqueue", "late.jsonl", "--run", "late", "--lane", "batch", **before)
    place.done("enqueue", "day.jsonl", "--run", "day")
    # when
    log = place.root / "worker.log"
    with process([*RUNG, "worker"], log=log, environ=place.environ, cwd=place.root):
        paused = "SELECT count(*) FROM tiers WHERE name = 'opus' AND paused"
        eventually(lambda: one(engine, paused)[0] and ended(engine, "day"), within_s=90)
        # then that run waits by itself, and opus for a person: everything else is done
        eventually(lambda: one(engine, "SELECT state FROM runs WHERE name = 'late'")[0] == "paused")
        stands = place.done("status", "day")
        assert "opus is paused by Rung itself, since" in stands
        assert cloud.forbidden in stands
        why = many(engine, "SELECT name, state_reason FROM runs WHERE state_reason IS NOT NULL")
        assert why == [("late", "Claude's door has no batches")]
        assert many(engine, "SELECT name FROM tiers WHERE paused") == [("opus",)]
        # when
        place.done("resume", "opus")
        place.done("resume", "late", "--lane", "realtime")
        place.done("status", "day", "--watch")
        place.done("status", "late", "--watch")
    # then
    states = many(engine, "SELECT state, count(*) FROM jobs GROUP BY 1")
    assert states == [("answered", MESSAGES + 5)]
    climbs = "SELECT DISTINCT from_tier, to_tier FROM escalations ORDER BY 1"
    assert many(engine, climbs) == [("haiku", "sonnet"), ("sonnet", "opus")]
    assert told_by(engine) == {
        ("haiku", "classify", cloud.throttled, False),
        ("haiku", "answer", cloud.failed[1], True),
        ("sonnet", "answer", cloud.not_ready, False),
        ("opus", "answer", cloud.forbidden, False),
    }
    assert bill_of(place) == bill_in_sql(engine)
    assert set(state.counts.by_path) == {cloud.path}
    with engine.connect() as connection:
        assert ledger_against(connection, state.counts.by_call) == []
        assert Checker().at_rest(connection) == []


TOLD = """
SELECT a.tier, c.purpose, split_part(c.error, ':', 1) AS label, c.cost > 0 AS charged
FROM calls AS c JOIN attempts AS a USING (job_id, fence) WHERE c.state = 'failed'
"""
BILLED = """
SELECT c.model, round(sum(c.cost), 6) AS cost,
  bool_and(c.state <> 'done' OR a.tier <> 'opus' OR c.cost = (
    c.input_tokens * 5.5 + c.cache_read_tokens * 0.55 + c.cache_write_5m_tokens * 6.875
    + c.cache_write_1h_tokens * 11 + c.output_tokens * 27.5) / 1000000) AS dear
FROM calls AS c JOIN attempts AS a USING (job_id, fence) JOIN jobs AS j ON j.id = c.job_id
WHERE j.run_id = (SELECT id FROM runs WHERE name = 'day') GROUP BY 1
"""


def told_by(engine: Engine) -> set[Any]:
    """What was refused, and whether it may have been billed."""
    return {tuple(row) for row in many(engine, TOLD)}


def bill_of(place: Place) -> dict[str, float]:
    """Dollars of the run by the door's own names of models."""
    lines = json.loads(place.done("cost", "day", "--json"))["lines"]
    models = {line["model"] for line in lines}
    return {
        model: round(sum(line["cost_usd"] for line in lines if line["model"] == model), 6)
        for model in models
    }


def bill_in_sql(engine: Engine) -> dict[str, float]:
    """The same from the ledger, where opus costs what the configuration says."""
    rows = many(engine, BILLED)
    assert all(row.dear for row in rows)
    return {row.model: float(row.cost) for row in rows}
