"""The same record gives the same certificate, to the last digit: tests/data holds those that were
given before the messages of a run were read one by one."""

import json
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Engine

from tests.support.cli import say
from tests.support.promises import do
from tests.support.recorded import Traffic, answered_run

KNOWN = Path(__file__).parents[2] / "data" / "certificates.json"
ASKED: dict[str, tuple[str, ...]] = {
    "accuracy by confidence": ("--claim", "accuracy", "--score", "confidence"),
    "accuracy by a scorer, by difficulty": (
        *("--claim", "accuracy", "--alpha", "0.1", "--segment", "difficulty"),
    ),
    "parity by confidence, by language": (
        *("--claim", "parity", "--score", "confidence", "--segment", "language"),
    ),
    "parity of the second tier": ("--claim", "parity", "--tier", "sonnet", "--alpha", "0.1"),
    "accuracy of the top": ("--claim", "accuracy", "--tier", "opus", "--alpha", "0.2"),
    "of the first": ("--claim", "accuracy", "--first", "300", "--alpha", "0.1"),
}
STORED = ("threshold", "fallback", "errors", "labels", "upper", "coverage", "scorer", "segments")
TWINS = """
UPDATE messages SET digest = 'same', customer_id = 'one' WHERE id % 41 = 0
"""
SOME_ARE_NOT_JUDGED = "DELETE FROM truths WHERE job_id % 5 = 0"


def certificates_of(names: list[str]) -> dict[str, Any]:
    """What each question comes to, said and stored."""
    found = {}
    for name, words in ASKED.items():
        said = say("certify", *names, *words, "--json").document
        number = said.pop("certificate")
        said.pop("runs")
        stored = next(
            (one for one in say("certificates", "--json").document if one["id"] == number), None
        )
        kept = {key: stored[key] for key in STORED if key in stored} if stored else None
        found[name] = {"said": said, "stored": kept, "sources": stored and _sources(stored)}
    return found


def _sources(stored: dict[str, Any]) -> dict[str, Any]:
    return {key: stored["sources"][key] for key in ("verdicts", "twice", "differing")}


@pytest.mark.parametrize("case", ["all", "part"])
def test_a_certificate_is_the_same(
    engine: Engine, database_url: str, configured: None, case: str
) -> None:
    # given
    names = ["monday", "tuesday"]
    for seed, name in enumerate(names, 1):
        traffic = Traffic(messages=600, right=0.985, seed=seed)
        answered_run(engine, database_url, traffic, name=name)
    if case == "part":
        do(engine, TWINS)
        do(engine, SOME_ARE_NOT_JUDGED)
    # then
    assert certificates_of(names) == json.loads(KNOWN.read_text("utf-8"))[case]
