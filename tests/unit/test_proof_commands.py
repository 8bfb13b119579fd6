"""`rung certify` and `rung evaluate` on tables: their JSON, exit codes and sentences."""

import time
from pathlib import Path

import pytest

from tests.support.cli import say
from tests.support.graded import GRADED

TABLE = str(GRADED)
KEYS = ["certified", "claim", "tier", "threshold", "errors", "labels", "upper", "coverage", "needs"]
STATED = ("--table", "synthetic", "--tier", "haiku", "--claim", "accuracy", "--score", "confidence")


def test_a_certificate_as_json() -> None:
    said = say("certify", TABLE, *STATED, "--first", "500", "--alpha", "0.05", "--json")
    assert (said.code, list(said.document)) == (0, KEYS)
    assert said.document == {
        "certified": True,
        "claim": "accuracy",
        "tier": "haiku",
        "threshold": 0.9,
        "errors": 10,
        "labels": 415,
        "upper": pytest.approx(0.0405, abs=5e-5),
        "coverage": 0.8235,
        "needs": None,
    }


def test_a_refusal_as_json() -> None:
    said = say("certify", TABLE, *STATED, "--first", "200", "--alpha", "0.03", "--json")
    assert (said.code, list(said.document)) == (1, KEYS)
    assert (said.document["certified"], said.document["threshold"]) == (False, None)
    assert (said.document["needs"], said.document["labels"]) == (208, 196)


def test_a_refusal_in_a_sentence() -> None:
    said = say("certify", TABLE, *STATED, "--first", "200", "--alpha", "0.03")
    assert said.code == 1
    assert "It takes 208 labels with at most 2 errors; there are 196." in said.out


def test_segments_are_shown_with_the_worst_first() -> None:
    said = say("certify", TABLE, *STATED, "--segment", "label", "--json")
    assert list(said.document) == [*KEYS, "segments"]
    assert said.document["segments"][0]["segment"] == "legal"
    assert "legal" in say("certify", TABLE, *STATED, "--segment", "label").out


@pytest.mark.parametrize("claim", ["parity", "accuracy"])
def test_a_fitted_score_certifies(claim: str) -> None:
    said = say(
        "certify", TABLE, "--table", "synthetic", "--claim", claim, "--first", "2000", "--json"
    )
    assert said.code == 0
    assert said.document["upper"] <= 0.05
    assert said.document["coverage"] > 0.5


def test_a_second_tier_stands_on_the_first() -> None:
    said = say(
        "certify",
        TABLE,
        "--table",
        "synthetic",
        "--tier",
        "sonnet",
        "--claim",
        "accuracy",
        "--alpha",
        "0.1",
    )
    assert "Certified: at least 90.0 % of the answers accepted at sonnet are right." in said.out
    assert "Below it" in said.err


def test_simulated_rows_are_refused(tmp_path: Path) -> None:
    rows = [f"m{n},haiku,1,1,1.0,1" for n in range(500)]
    path = tmp_path / "t.csv"
    path.write_text("\n".join(["message,tier,valid,correct,confidence,simulated", *rows]))
    said = say("certify", str(path), "--claim", "accuracy", "--score", "confidence")
    assert said.code == 1
    assert "A simulator made these answers up" in said.out


@pytest.mark.parametrize(
    ("arguments", "why"),
    [
        ((TABLE,), "holds 5 tables"),
        (
            (TABLE, "--table", "cfpb", "--tier", "gpt"),
            "has no tier 'gpt'; it has haiku, sonnet, opus",
        ),
        ((TABLE, "--table", "cfpb", "--tier", "opus"), "no parity with itself"),
        ((TABLE, "--table", "cfpb", "--alpha", "1"), "0<x<1"),
        ((TABLE, "--table", "cfpb", "--segment", "country"), "no column 'country'"),
    ],
)
def test_usage_errors(arguments: tuple[str, ...], why: str) -> None:
    said = say("certify", *arguments)
    assert said.code == 2
    assert why in said.err


def test_the_frontier_as_json_and_as_a_table() -> None:
    said = say(
        "evaluate",
        TABLE,
        "--table",
        "synthetic",
        "--policies",
        "haiku@0.9>sonnet@0.9>opus,opus",
        "--json",
    )
    ladder, top = said.document["policies"]
    assert (said.code, said.document["messages"]) == (0, 6_000)
    assert (ladder["policy"], round(ladder["cost_usd"], 4)) == (
        "haiku>sonnet>opus 0.90/0.90",
        8.3354,
    )
    assert (round(ladder["quality"]["point"], 4), top["saved"]) == (0.9412, 0)
    assert "always haiku" in say("evaluate", TABLE, "--table", "cfpb").out


def test_a_policy_that_means_nothing_is_a_usage_error() -> None:
    said = say("evaluate", TABLE, "--table", "cfpb", "--policies", "haiku>opus")
    assert said.code == 2
    assert "needs a threshold" in said.err


def test_what_nothing_identifies_has_no_point(tmp_path: Path) -> None:
    path = tmp_path / "t.csv"
    rows = [f"m{n},haiku,1,1,0.9" for n in range(50)] + [f"m{n},opus,1,1," for n in range(10)]
    path.write_text("\n".join(["message,tier,valid,correct,confidence", *rows]))
    said = say("evaluate", str(path), "--policies", "opus", "--json")
    quality = said.document["policies"][0]["quality"]
    assert (quality["point"], quality["low"], quality["high"]) == (None, 0.2, 1.0)
    assert "nothing recorded identifies it" in say("evaluate", str(path), "--policies", "opus").err


def test_where_some_verdicts_are_missing_there_are_bounds(tmp_path: Path) -> None:
    path = tmp_path / "t.csv"
    rows = [f"m{n},haiku,1,{'' if n % 2 else 1},0.9\nm{n},opus,1,1," for n in range(80)]
    path.write_text("\n".join(["message,tier,valid,correct,confidence", *rows]))
    said = say("evaluate", str(path), "--policies", "haiku", "--json")
    quality = said.document["policies"][0]["quality"]
    assert (quality["point"], quality["low"], quality["high"]) == (None, 0.5, 1.0)


def test_ten_thousand_rows_take_less_than_two_seconds(tmp_path: Path) -> None:
    lines = ["message,tier,valid,correct,confidence,label,chars,cost_usd"]
    for n in range(5_000):
        lines.append(
            f"m{n},haiku,1,{int(n % 31 > 0)},{0.5 + n % 10 / 20},l{n % 20},{n % 700},0.0002"
        )
        lines.append(f"m{n},opus,1,1,,l{n % 20},{n % 700},0.0098")
    path = tmp_path / "t.csv"
    path.write_text("\n".join(lines))
    began = time.process_time()
    said = say("certify", str(path), "--json")
    assert said.code == 0
    assert time.process_time() - began < 2
