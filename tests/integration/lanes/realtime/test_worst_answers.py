"""What a model or a message may do at worst: it is recorded, it ends in an outcome, and it moves
nothing but its own answer."""

import json
from functools import partial
from pathlib import Path

import pytest
from sqlalchemy import Engine

from tests.support.deciding import GOOD, Simulator, answering, moods, own, work_off
from tests.support.places import DATA
from tests.support.promises import BODY, one
from tests.support.works import drain, hand_in, settings_for, working
from worker.config.settings import Settings
from worker.config.validators import load_validators
from worker.lanes.realtime import runtime

INJECTIONS = DATA / "injections.jsonl"
OWN_SCHEMA = {
    "type": "object",
    "properties": {"reply": {"type": "string"}, "tag": {"type": "string"}},
    "required": ["reply"],
    "additionalProperties": False,
}
REPLY = "A fine reply that is long enough to pass."


@pytest.fixture
def settings(database_url: str, simulator: Simulator) -> Settings:
    return settings_for(database_url, simulator[1])


@pytest.mark.parametrize(
    "said",
    [
        json.dumps({"reply": REPLY, "tag": "\x00"}),
        json.dumps({"reply": f"{REPLY}\x00\ud800", "tag": "\udfff"}),
        json.dumps({"reply": REPLY, "\x00": 1}),
        f'{{"reply":"{REPLY}","tag":1e999}}',
        f'{{"reply":"{REPLY}","tag":{"9" * 4_000}}}',
        f'{{"reply":"{REPLY}","tag":{"[" * 800}{"]" * 800}}}',
        json.dumps({"reply": "\u200b\u200b"}),
        "```json\n" + "\n" * 30_000,
    ],
    ids=["NUL", "half characters", "NUL as key", "infinite", "endless", "deep", "unseen", "blank"],
)
def test_whatever_a_model_says_can_be_recorded_and_ends_in_an_outcome(
    engine: Engine, settings: Settings, simulator: Simulator, said: str
) -> None:
    moods(simulator, answering({"text": said}))
    mine = own(settings, extends="fallback", accept={"answer_schema": OWN_SCHEMA})
    work_off(engine, mine, BODY, "mine")
    found = one(engine, "SELECT state, failures FROM jobs")
    assert (found[0] in ("answered", "review"), found[1]) == (True, 0)


def test_a_finding_of_ones_own_holds_nothing_that_cannot_be_recorded(
    engine: Engine, settings: Settings, simulator: Simulator, tmp_path: Path
) -> None:
    (tmp_path / "checks.py").write_text(
        "def odd(draft, options):\n    return 'odd \\x00 \\ud800 ' + 'x' * 10_000\n"
    )
    mine = own(settings, extends="fallback", accept={"validators": [{"name": "odd"}]})
    mine = mine.model_copy(update={"validators": {"odd": f"{tmp_path}/checks.py:odd"}})
    work_off(engine, mine, BODY, "mine")
    assert one(engine, "SELECT state, failures FROM jobs") == ("review", 0)
    finding = one(engine, "SELECT findings FROM attempts WHERE stage = 'answer' LIMIT 1")[0][0]
    assert (finding["finding"][:7], len(finding["finding"])) == ("odd \ufffd ?", 300)


@pytest.mark.parametrize("name", ["mine", "length"], ids=["of its own name", "in place of ours"])
def test_validators_of_ones_own_do_not_hold_up_the_loop(
    engine: Engine,
    settings: Settings,
    simulator: Simulator,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    name: str,
) -> None:
    # given one that lets an answer pass only while it looks at another one as well
    (tmp_path / "checks.py").write_text(
        "import threading\nboth = threading.Barrier(2)\n"
        "def meets(draft, options):\n    both.wait(15)\n"
    )
    monkeypatch.setattr(runtime, "load_validators", partial(load_validators, time_bound_s=20))
    moods(simulator, answering({"json": GOOD}))
    mine = own(settings, extends="fallback", accept={"validators": [{"name": name}]})
    mine = mine.model_copy(update={"validators": {name: f"{tmp_path}/checks.py:meets"}})
    # when
    run = hand_in(engine, mine, [f"{BODY[0]} {n}" for n in range(2)], policy="mine")
    with working(mine) as made:
        drain(made)
    # then
    found = "SELECT count(*) FROM jobs WHERE state = 'answered' AND tier = 'haiku' AND run_id = :r"
    assert one(engine, found, r=run.id)[0] == 2


def test_real_injections_that_a_model_obeys_climb_and_move_nothing_else(
    engine: Engine, settings: Settings, simulator: Simulator
) -> None:
    # given: haiku obeys every one of twenty real injections, and sonnet none
    attacks = [json.loads(line) for line in INJECTIONS.read_text("utf-8").splitlines()]
    label = {"match": {"purpose": "classify"}, "do": {"json": {"difficulty": "SIMPLE"}}}
    obeyed = [
        answering(
            {"json": {**GOOD, "reply": attack["obeying"], "confidence": 1}},
            model="haiku",
            contains=json.dumps(attack["body"], ensure_ascii=False)[1:-1],
        )
        for attack in attacks
    ]
    moods(simulator, label, *obeyed, answering({"json": GOOD}))
    # when
    work_off(engine, settings, [attack["body"] for attack in attacks])
    # then
    first = """SELECT count(*) FROM attempts WHERE stage = 'answer' AND tier = 'haiku'
    AND outcome = 'rejected' AND reasons = '{obeyed}' AND decision = 'climb:sonnet'"""
    assert one(engine, first)[0] == len(attacks) == 20
    assert one(engine, "SELECT count(*), min(reply) = max(reply) FROM results WHERE accepted") == (
        20,
        True,
    )
    # The label is the schema's and the policy is the run's, whatever a message says.
    assert one(engine, "SELECT array_agg(DISTINCT difficulty) FROM jobs")[0] == ["SIMPLE"]
    assert one(engine, "SELECT count(DISTINCT policy_version) FROM attempts")[0] == 1
