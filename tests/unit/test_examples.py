"""What ships under examples/: sample backlogs, their attribution, prompts, a configuration."""

import csv
import json
import re
import tomllib
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
from pydantic import BaseModel

from models.vocabulary import Purpose
from tests.support.docs_settings import sections
from worker.claude.prompts import load_prompts
from worker.config.loading import load_settings
from worker.config.policies import check_policies, policy_named
from worker.config.settings import Settings
from worker.domain.prompts import CHARS_PER_TOKEN, JUDGE, MIN_CACHED_TOKENS

EXAMPLES = Path(__file__).parents[2] / "examples"
MAY_SHIP = {
    "banking77",
    "nlupp",
    "multidogo",
    "multidogo_conversation",
    "cfpb_ccdb",
    "giskard_injection",
    "banking77+giskard_injection",
}
LICENCES = {
    "Apache-2.0-RouteLLM.txt",
    "CC-BY-4.0.md",
    "CDLA-Permissive-1.0.md",
    "MIT-Applied-AI.txt",
    "MIT-Giskard.txt",
}
DENSEST_CHARS_PER_TOKEN = 3.9
"""English prose never takes more tokens than this many characters for each."""


def backlog() -> list[dict[str, Any]]:
    lines = (EXAMPLES / "backlog.jsonl").read_text("utf-8").splitlines()
    return [json.loads(line) for line in lines]


def small() -> list[dict[str, str]]:
    with (EXAMPLES / "backlog-small.csv").open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def test_the_sample_is_a_thousand_messages_with_ids_of_their_own() -> None:
    # given
    rows = backlog()
    # then
    assert len(rows) == 1_000
    assert len({row["external_id"] for row in rows}) == 1_000
    assert all(row["body"].strip() for row in rows)


def test_the_samples_hold_only_what_may_be_shipped_and_every_such_source() -> None:
    # given
    sources = Counter(row["source"] for row in backlog())
    # then
    assert set(sources) == MAY_SHIP
    assert {row["source"] for row in small()} <= MAY_SHIP


def test_the_small_sample_is_a_part_of_the_large_one() -> None:
    # given
    bodies = {(row["source"], row["external_id"]): row["body"] for row in backlog()}
    known = {(row["source"], row["external_id"]): row["body"] for row in small()}
    # then
    assert len(known) == 25
    assert set(known) & set(bodies) == {key for key in known if bodies.get(key) == known[key]}


def test_the_attribution_names_every_source_and_every_licence() -> None:
    # given
    words = (EXAMPLES / "ATTRIBUTION.md").read_text("utf-8")
    # then
    assert {source for source in MAY_SHIP if f"`{source}`" not in words} == set()
    assert {path.name for path in (EXAMPLES / "licences").iterdir()} == LICENCES
    assert {name for name in LICENCES if f"licences/{name}" not in words} == set()


def test_the_prompts_load_and_only_the_long_prefix_is_cached() -> None:
    # given
    prompts = load_prompts(EXAMPLES / "support")
    # when
    cached = {purpose for purpose, prompt in prompts.items() if prompt.cacheable}
    # then
    assert set(prompts) == {*Purpose, JUDGE}
    assert cached == {Purpose.ANSWER}
    short = len(prompts[Purpose.CLASSIFY].text) / DENSEST_CHARS_PER_TOKEN
    assert short < MIN_CACHED_TOKENS


def test_the_size_that_the_prompts_readme_gives_is_that_of_the_prompt() -> None:
    # given
    words = (EXAMPLES / "support" / "README.md").read_text("utf-8")
    found = re.search(r"about ([\d,]+)–([\d,]+) tokens", words)
    assert found, "the README no longer says how long the answering prompt is"
    low, high = (int(number.replace(",", "")) for number in found.groups())
    # when
    size = len(load_prompts(EXAMPLES / "support")[Purpose.ANSWER].text)
    # then
    assert low == pytest.approx(size / CHARS_PER_TOKEN, rel=0.05)
    assert high == pytest.approx(size / 4, rel=0.05)


def test_the_example_configuration_loads_and_its_policies_are_sound() -> None:
    # when
    settings = load_settings({"RUNG_CONFIG": str(EXAMPLES / "rung.toml")})
    # then
    assert check_policies(settings) == []
    assert list(settings.tiers) == ["haiku", "sonnet", "opus"]
    assert policy_named(settings, "careful").accept.confidence == "inline"


def test_what_the_example_configuration_calls_defaults_are_the_defaults() -> None:
    # given
    settings, defaults = (
        load_settings({"RUNG_CONFIG": str(EXAMPLES / "rung.toml")}),
        Settings(),
    )
    # then
    same = {"policy", "tiers", "prompts", "check", "timing", "worker", "home"}
    same |= {"breaker", "canary", "notify", "dashboard"}
    assert settings.model_dump(include=same) == defaults.model_dump(include=same)
    assert settings.routing_tier == defaults.routing_tier


def test_the_example_configuration_shows_every_section() -> None:
    # given
    text = (EXAMPLES / "rung.toml").read_text("utf-8")
    shown = tomllib.loads(text).keys() | set(re.findall(r"^# \[(\w+)", text, re.MULTILINE))
    # when
    wanted = {
        name.partition(".")[0]
        for name, model in sections()
        if issubclass(model, BaseModel) and name != "top"
    }
    # then
    assert sorted(wanted - shown) == []
