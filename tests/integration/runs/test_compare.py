"""Two prompts on the same messages: two runs whose answers go to nobody, blind verdicts, and a
sentence with its interval."""

from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Engine

from tests.support.cli import say
from tests.support.promises import many, one
from tests.support.works import drain, working
from worker.cli.compare import judge_pairs
from worker.config.loading import load_settings
from worker.domain.backlog import Record
from worker.runs.comparison import CompareRequest, compare_records, compare_run, sampled
from worker.sandbox.simulator.state import State
from worker.store.audit import Actor
from worker.store.reading.comparing import compared_with
from worker.store.runs import find_run

ME = Actor("tester")
TOML = """
[canary]
enabled = false
[tiers.haiku]
model = "claude-haiku-5-5"
[policies.a]
prompts = "a"
[policies.b]
prompts = "b"
"""
REQUEST = CompareRequest(policies=("a", "b"), sample=12)


@pytest.fixture
def prompts(configured: None, tmp_path: Path, simulator: tuple[State, str]) -> None:
    """A is less sure of what is asked about parcels."""
    (tmp_path / "rung.toml").write_text(TOML)
    for name in "ab":
        (tmp_path / name).mkdir()
        (tmp_path / name / "answer.md").write_text(f"You answer for the company {name}.")
    right = {"merge": {"confidence": 0.9, "reply": "It will come to you on Monday."}}
    other = {"merge": {"confidence": 0.9, "reply": "Your parcel comes on Monday."}}
    simulator[0].moods.replace(
        [
            {"match": {"purpose": "answer", "contains": "company a"}, "do": right},
            {"match": {"purpose": "answer", "contains": "company b"}, "do": other},
        ]
    )


def records(count: int) -> list[Record]:
    return [
        Record(line=n, external_id=f"m-{n}", body=f"Where is parcel {n}, please?")
        for n in range(1, count + 1)
    ]


def answered(engine: Engine, count: int = 12) -> list[str]:
    settings = load_settings()
    made = compare_records(engine, settings, ME, REQUEST, records(count))
    with working(settings) as runtime:
        drain(runtime)
    assert made.messages == count
    return [run.name for run in made.runs]


def test_both_answer_the_same_and_nobody_is_sent_anything(prompts: None, engine: Engine) -> None:
    names = answered(engine)
    # then: each has every message once, its own prompt, and a kind that nothing is delivered of
    same = "SELECT count(DISTINCT message_id), count(*) FROM jobs"
    assert one(engine, same) == (12, 24)
    assert many(engine, "SELECT DISTINCT kind FROM runs") == [("shadow",)]
    with engine.connect() as connection:
        assert [compared_with(connection, run) for run in (1, 2)] == [2, 1]
    assert one(engine, "SELECT count(DISTINCT prompts ->> 'answer') FROM runs")[0] == 2

    # then: the command says what came of it, and that nobody has judged
    found = say("compare", *names, "--json").document
    assert (found["messages"], found["a"]["answered"], found["b"]["answered"]) == (12, 12, 12)
    assert found["answered"]["b_less_a"] == 0
    assert found["right"] is None
    shown = say("compare", *names)
    words = shown.out
    assert "needs no person 0.0 points more often than compare-a" in words
    assert "Which answers are better nobody has judged." in words
    assert f"rung compare {names[0]} {names[1]} --judge" in shown.err
    assert "simulated" in words


def test_verdicts_by_keys_are_blind_and_end_in_the_sentence(
    prompts: None, engine: Engine, capsys: pytest.CaptureFixture[str]
) -> None:
    # given: a person who would send what says "Your parcel", wherever it stands
    names = answered(engine)
    with engine.connect() as connection:
        a, b = (find_run(connection, name) for name in names)

    def key() -> str:
        return pressed.pop(0)

    # whose is which changes by chance, so that the first key's meaning is not known beforehand
    pressed = ["x", "1", "z", *"12bn" * 2, "q"]
    assert judge_pairs(engine, a, b, key) == 8
    said = capsys.readouterr().err
    assert said.count("(12 left)") == 2, (
        "as it began, and when it was taken back; not for a wrong key"
    )
    assert "(5 left)" in said
    given = many(engine, "SELECT is_right, count(*) FROM truths WHERE undone_at IS NULL GROUP BY 1")
    assert dict(map(tuple, given)) == {True: 8, False: 8}

    # then
    found = say("compare", *names, "--json").document
    assert found["judged"] == 8
    assert found["right"]["pairs"] == 8
    assert "judged blind, compare-b is right" in found["sentence"]

    # and the rest comes next time, until none is left
    pressed = ["b"] * 9
    assert judge_pairs(engine, a, b, key) == 4


def test_where_all_replies_are_the_same_nobody_is_asked_to_judge(
    prompts: None, engine: Engine, simulator: tuple[State, str], capsys: pytest.CaptureFixture[str]
) -> None:
    # given
    same = {"merge": {"confidence": 0.9, "reply": "It will come to you on Monday."}}
    simulator[0].moods.replace([{"match": {"purpose": "answer"}, "do": same}])
    names = answered(engine)
    # when
    shown = say("compare", *names)
    with engine.connect() as connection:
        a, b = (find_run(connection, name) for name in names)
    assert judge_pairs(engine, a, b, lambda: "q") == 0
    # then
    assert "--judge" not in shown.err
    assert "costs as much as compare-a, to $0.0001 for a thousand messages" in shown.out
    assert "Nothing is there to judge: all replies are the same" in capsys.readouterr().err


def test_a_sample_of_a_run_is_the_same_for_both(prompts: None, engine: Engine) -> None:
    settings = load_settings()
    names = answered(engine)
    request = CompareRequest(policies=("a", "b"), sample=5)
    with engine.begin() as connection:
        made = compare_run(connection, settings, ME, request, find_run(connection, names[0]).id)
    assert made.messages == 5
    each = "SELECT array_agg(message_id ORDER BY message_id) FROM jobs WHERE run_id = :run"
    chosen = [one(engine, each, run=run.id)[0] for run in made.runs]
    assert chosen[0] == chosen[1]


def test_a_sample_of_a_stream_is_fair_and_in_order() -> None:
    counts = [0] * 10
    kept = sampled(iter(records(1_000)), 100)
    assert [one.line for one in kept] == sorted(one.line for one in kept)
    for record in kept:
        counts[(record.line - 1) // 100] += 1
    assert max(counts) < 25
    assert sampled(iter(records(3)), 100) == records(3)


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["one"], "Without --policies, name two runs."),
        (["--policies", "a", "x"], "are not two policies"),
        (["--policies", "a,b", "x", "y"], "Compare on one file or one run."),
        (["--policies", "a,b", "empty.csv"], "holds no rows"),
        (["--policies", "a,nowhere", "x.csv"], "There is no policy called 'nowhere'"),
        (["--policies", "a,b", "nothing"], "There is no run called 'nothing'"),
    ],
)
def test_what_cannot_be_compared_is_a_sentence(
    arguments: list[str], words: str, prompts: None, tmp_path: Path, engine: Engine
) -> None:
    (tmp_path / "x.csv").write_text("external_id,body\n1,Where is it?\n")
    (tmp_path / "empty.csv").write_text("external_id,body\n")
    said: Any = say("compare", *arguments)
    assert said.code != 0
    assert words in said.err
    assert one(engine, "SELECT count(*) FROM runs")[0] == 0
