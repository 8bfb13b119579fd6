"""Forecasts from the record: before a run, and against what came of it."""

import csv
from pathlib import Path

import pytest
from sqlalchemy import Engine

from tests.support.cli import say
from tests.support.promises import do, one
from tests.support.recorded import Traffic, answered_run


@pytest.fixture
def recorded(engine: Engine, database_url: str, configured: None) -> Engine:
    """Three days of the same traffic."""
    for day in range(3):
        answered_run(
            engine, database_url, Traffic(messages=150, seed=day), name=f"day{day}", judged=False
        )
        do(
            engine,
            "UPDATE jobs SET created_at = created_at - make_interval(days => :ago)"
            " WHERE run_id = (SELECT max(id) FROM runs)",
            ago=3 - day,
        )
    return engine


@pytest.fixture
def backlog(tmp_path: Path) -> Path:
    path = tmp_path / "tomorrow.csv"
    with path.open("w", newline="") as stream:
        writer = csv.writer(stream)
        writer.writerow(["external_id", "body"])
        writer.writerows(
            [f"t-{n}", f"tomorrow: where is my parcel number {n}?"] for n in range(200)
        )
    return path


def test_a_dry_run_of_a_policy_that_was_run_before_is_right_within_its_interval(
    recorded: Engine, database_url: str, backlog: Path
) -> None:
    # given
    said = say("enqueue", str(backlog), "--dry-run", "--json")
    found = said.document["expected"]
    # when: the same traffic once more
    answered_run(recorded, database_url, Traffic(messages=200, seed=9), name="fact", judged=False)
    fact = one(
        recorded,
        "SELECT sum(j.cost) FROM jobs AS j JOIN runs AS r ON r.id = j.run_id WHERE name = 'fact'",
    )[0]
    # then
    usd = found["forecast"]["usd"]
    assert usd["p10"] < usd["p50"] < usd["p90"]
    assert usd["p10"] * 0.9 < float(fact) < usd["p90"] * 1.1
    assert (found["forecast"]["recorded"], found["forecast"]["days"]) == (450, 3)
    assert found["total_usd"] == pytest.approx(usd["p50"], abs=1e-6)
    assert found["assumption"].startswith("Measured from 450 recorded jobs on 3 days")
    # And what is said by tier and by length comes to that sum
    for parts in (found["tiers"], found["by_length"]):
        assert sum(float(one["cost_usd"]) for one in parts) == pytest.approx(usd["p50"], abs=1e-5)


# What climbs in batches in the mixed lane costs half, all of it in the batch lane.
FACT = """
SELECT sum(a.cost * CASE WHEN :lane = 'batch' OR (:lane = 'mixed' AND a.fence > 1) THEN 0.5
  ELSE 1 END)
FROM attempts AS a JOIN jobs AS j ON j.id = a.job_id JOIN runs AS r ON r.id = j.run_id
WHERE r.name = 'fact'
"""


@pytest.mark.parametrize("lane", ["realtime", "batch", "mixed"])
def test_a_forecast_holds_in_every_lane(
    lane: str, recorded: Engine, database_url: str, backlog: Path
) -> None:
    usd = say("forecast", str(backlog), "--lane", lane, "--json").document["usd"]
    answered_run(recorded, database_url, Traffic(messages=200, seed=9), name="fact", judged=False)
    fact = float(one(recorded, FACT, lane=lane)[0])
    assert usd["p10"] < fact < usd["p90"]
    assert usd["p90"] < 2 * usd["p10"]


def test_a_stricter_policy_costs_more_by_the_records_and_batches_half(
    recorded: Engine, backlog: Path
) -> None:
    Path("rung.toml").write_text("[policies.strict.accept]\nthreshold = 0.95\n")
    plain, strict, half, mixed = (
        say("forecast", str(backlog), *more, "--json").document["usd"]["p50"]
        for more in ((), ("--policy", "strict"), ("--lane", "batch"), ("--lane", "mixed"))
    )
    assert strict > 1.2 * plain
    assert half == pytest.approx(plain / 2, rel=1e-4)
    assert half < mixed < plain


def test_a_forecast_is_kept_with_its_run_and_settled(recorded: Engine, backlog: Path) -> None:
    # given
    assert say("enqueue", str(backlog), "--run", "tomorrow").code == 0
    assert say("forecast", "--settled", "--json").document == []
    # when
    do(
        recorded,
        "UPDATE runs SET state = 'finished', finished_at = created_at + interval '90 s'"
        " WHERE name = 'tomorrow'",
    )
    # then
    found = {one["measure"]: one for one in say("forecast", "--settled", "--json").document}
    assert found["usd"]["fact"] == 0
    assert found["usd"]["held"] is False
    assert found["people"]["held"] is True
    assert "about four in five should" in say("forecast", "--settled").err
    assert "●" in say("forecast", "--settled").out


def test_without_a_record_a_dry_run_says_what_it_assumes(configured: None, backlog: Path) -> None:
    expected = say("enqueue", str(backlog), "--dry-run", "--json").document["expected"]
    assert "forecast" not in expected
    assert expected["assumption"].startswith("Assumed, not measured")
    assert [one["up_to_chars"] for one in expected["by_length"]] == [1_000]
    refused = say("forecast", str(backlog))
    assert (refused.code, "Too little is recorded" in refused.err) == (1, True)
    assert say("forecast").code == 2


def test_figures_are_printed_with_what_they_rest_on(
    recorded: Engine, backlog: Path, tmp_path: Path
) -> None:
    said = say("enqueue", str(backlog), "--dry-run")
    assert "from 450 recorded jobs on 3 days, policy ladder" in said.err
    assert "dollars" in said.err
    # and of messages far longer than any on record, from prices: a thousandfold, to classify alone
    day = tmp_path / "long.csv"
    day.write_text("external_id,body\n" + "".join(f"l-{n},{'very ' * 39_000}\n" for n in (1, 2)))
    expected = say("enqueue", str(day), "--dry-run", "--json").document["expected"]
    assert "forecast" not in expected
    assert expected["assumption"].startswith("Assumed, not measured")
    assert expected["total_usd"] > 0.02


def test_long_messages_are_shown_by_length(configured: None, tmp_path: Path) -> None:
    # given one of the longest beside a short one
    day = tmp_path / "long.csv"
    day.write_text(f"external_id,body\n1,Where is my card?\n2,{'very ' * 39_000}\n")
    # when
    said = say("enqueue", str(day), "--dry-run")
    # then
    assert "then for a person: opus is too costly" in said.err
    assert "up to 1,000" in said.err
