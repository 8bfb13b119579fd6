"""Receipts are complete and add up, replay agrees with the record and notices when it was touched,
and the bill's figures are those of the ledger."""

import json
from decimal import Decimal
from typing import Any

import pytest
from sqlalchemy import Engine, text

from tests.support.cli import say
from tests.support.places import SAMPLE
from tests.support.promises import do, many, one
from tests.support.receipts import receipt
from tests.support.works import drain, hand_in, make_due, settings_for, working
from worker.cli.speech import output
from worker.config.prices import price_of
from worker.config.settings import Settings
from worker.sandbox.simulator.state import State

BODIES = [json.loads(line)["body"] for line in SAMPLE.read_text("utf-8").splitlines()[200:225]]
TROUBLED: list[dict[str, Any]] = [
    {"match": {"probability": 0.1}, "do": {"status": 529}},
    {"match": {"probability": 0.08}, "do": {"status": 500}},
    {"match": {"purpose": "answer", "probability": 0.15}, "do": {"truncated": True}},
    {"match": {"purpose": "answer", "probability": 0.15}, "do": {"refusal": "cyber"}},
    {"match": {"purpose": "answer", "probability": 0.2}, "do": {"drop": "reply"}},
    {"match": {"purpose": "check", "probability": 0.2}, "do": {"text": "HIGH or LOW?"}},
    {"match": {"purpose": "classify", "probability": 0.2}, "do": {"text": "dunno"}},
]
ATTEMPT_KEYS = {
    "fence", "stage", "tier", "model", "lane", "outcome", "decision", "reasons", "findings",
    "difficulty", "rule", "confidence", "threshold", "policy_version", "prompt_version",
    "schema_version", "effort", "max_tokens", "hint", "waited_s", "took_s", "calls", "escalation",
    "claimed_at", "finished_at", "cost", "reserved",
}  # fmt: skip
CALL_KEYS = {
    "purpose", "state", "tier", "model", "lane", "input_tokens", "cache_read_tokens",
    "cache_write_5m_tokens", "cache_write_1h_tokens", "output_tokens", "cost", "price",
    "latency_ms", "stop_reason", "stop_category", "request_id", "http_status", "error",
    "service_tier", "simulated", "shared",
}  # fmt: skip
Simulator = tuple[State, str]


@pytest.fixture
def settings(configured: None, database_url: str, simulator: Simulator) -> Settings:
    """Wired to the test's servers, and the commands as well."""
    return settings_for(database_url, simulator[1], canary={"enabled": False})


def work_off(engine: Engine, settings: Settings, bodies: list[str], **more: Any) -> None:
    hand_in(engine, settings, bodies, name="day", **more)
    with working(settings) as runtime:
        runtime.remember_prompts()
        for _ in range(8):
            drain(runtime)
            do(engine, "UPDATE tiers SET breaker = 'closed', breaker_until = NULL")
            make_due(engine)


def test_a_receipt_has_every_field_of_every_attempt(
    engine: Engine, settings: Settings, simulator: Simulator
) -> None:
    # given: a message that climbs twice, with a finding on the way
    simulator[0].moods.replace(
        [
            {"match": {"model": "haiku", "purpose": "answer"}, "do": {"merge": {"grounds": 7}}},
            {"match": {"model": "sonnet"}, "do": {"merge": {"confidence": 0.2}}},
            {"match": {"model": "opus"}, "do": {"merge": {"confidence": 0.95}}},
        ]
    )
    work_off(engine, settings, BODIES[:1])
    # when
    found = say("show", "day/day-0", "--text", "--json").document
    # then
    assert all(set(attempt) >= ATTEMPT_KEYS for attempt in found["attempts"])
    assert all(set(call) >= CALL_KEYS for a in found["attempts"] for call in a["calls"])
    assert [a["decision"] for a in found["attempts"][-4:]] == [
        "again", "climb:sonnet", "climb:opus", "accept",
    ]  # fmt: skip
    assert [a["fence"] for a in found["attempts"]] == [1, 2, 3, 4, 5]
    again, _, low, last = found["attempts"][-4:]
    assert again["findings"][0]["validator"] == "schema"
    assert again["hint"]["findings"] == ["schema: grounds breaks the schema's type rule"]
    assert (low["confidence"], low["threshold"], low["reasons"]) == (0.2, 0.7, ["low_confidence"])
    assert low["escalation"]["reason"] == "low_confidence"
    assert last["calls"][0]["price"] == {
        "input": "4", "output": "20", "cache_read": "0.2", "cache_write_5m": "5",
        "cache_write_1h": "8",
    }  # fmt: skip
    own = last["calls"][0]["price"] | {"cache_read": "0.3"}
    older = "UPDATE calls SET price_version = NULL, price = CAST(:own AS jsonb) WHERE fence = 5"
    with engine.begin() as connection:
        connection.execute(text(older), {"own": json.dumps(own)})
    assert say("show", "day/day-0", "--json").document["attempts"][-1]["calls"][0]["price"] == own
    assert {a["policy_version"] for a in found["attempts"]} == {found["policy_version"]}
    assert found["policy"]["accept"]["validators"][0]["name"] == "schema"
    assert found["ended"] == (
        "accepted from attempt 5, opus (claude-opus-5-5): every validator passed,"
        " confidence 0.95 ≥ 0.7"
    )
    shown = " ".join(say("show", "day/day-0", "--full").out.split())
    for words in (
        "policy ladder", "validators schema (reject)", "rejected → again because schema",
        "reject schema: grounds breaks", "confidence 0.2, against 0.7",
        "escalated sonnet → opus: low_confidence", "end_turn", "into it",
        "at $4/$20 a million tokens in/out", "waited", "took", "s calling)", "asked prompt ",
        "schema ", "effort the model's own", "at most 4096 tokens", "ended accepted from attempt 5",
        f"total ${found['total_usd']:.6f}",
    ):  # fmt: skip
        assert words in shown, words
    brief = " ".join(say("show", "day/day-0").out.split())
    assert "Not good enough: it was 0.20 sure, and 0.70 is asked, so opus was asked." in brief
    assert "low_confidence" not in brief


def test_a_receipt_names_the_rule_that_made_a_message_critical(
    engine: Engine, settings: Settings, simulator: Simulator
) -> None:
    # given
    simulator[0].moods.replace([{"match": {"purpose": "check"}, "do": {"text": "LOW"}}])
    # when
    work_off(engine, settings, BODIES[:1], policy="escalate", metadata={"priority": "critical"})
    # then
    found = say("show", "day/day-0", "--json").document
    assert found["critical_by"] == "marked critical"
    steps = [a["escalation"] for a in found["attempts"] if a["escalation"]]
    assert [(s["from_tier"], s["to_tier"], s["detail"]) for s in steps] == [
        ("haiku", "opus", "low_confidence; critical by rule: marked critical"),
        ("opus", "person", "low_confidence"),
    ]
    assert found["ended"] == (
        "best effort of attempt 3, opus (claude-opus-5-5), waiting for a person: low_confidence"
    )
    shown = " ".join(say("show", "day/day-0").out.split())
    for words in (
        "critical by rule: marked critical", "route: nobody was asked",
        "start where the policy starts everything", "check done, end_turn",
    ):  # fmt: skip
        assert words in shown, words


@pytest.mark.parametrize("columns", [80, 120])
def test_a_receipt_fits_the_terminal(
    engine: Engine,
    settings: Settings,
    simulator: Simulator,
    columns: int,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    # given: a name, a finding and a reply as long as they get
    simulator[0].moods.replace(
        [{"match": {"purpose": "answer"}, "do": {"merge": {"grounds": 7, "reply": "x" * 500}}}]
    )
    work_off(engine, settings, BODIES[:1])
    monkeypatch.setattr(output, "PIPED_WIDTH", columns)
    # when
    lines = say("show", "day/day-0", "--text").out.splitlines()
    # then
    assert max(len(line) for line in lines if "SIMULATED" not in line) <= columns
    labels = {line[2:12].strip() for line in lines if line.startswith("  ")}
    assert {"decision", "answer", "cost", "time", "ended", "total", "reject"} <= labels


@pytest.mark.parametrize("policy", ["ladder", "escalate", "route", "fallback", "single:haiku"])
def test_in_any_trouble_receipts_are_the_ledger_to_the_cent_and_replay_agrees(
    engine: Engine, settings: Settings, simulator: Simulator, policy: str
) -> None:
    # given
    simulator[0].moods.replace(TROUBLED)
    # when
    work_off(engine, settings, BODIES, policy=policy)
    # then
    with engine.connect() as connection:
        ids = connection.execute(text("SELECT id FROM jobs ORDER BY id")).scalars().all()
        receipts = [receipt(connection, job_id) for job_id in ids]
    total = sum((Decimal(found["total_usd"]) for found in receipts), Decimal(0))
    sums = one(
        engine,
        """SELECT (SELECT sum(cost) FROM calls), (SELECT sum(cost) FROM jobs),
          (SELECT sum(cost) FROM attempts), (SELECT sum(cost) FROM run_spend),
          (SELECT spent FROM budgets WHERE run_id IS NOT NULL)""",
    )
    assert set(sums) == {total}
    for found in receipts:
        assert found["cost_usd"] == found["total_usd"]
        rungs = [list(settings.tiers).index(a["tier"]) for a in found["attempts"]
                 if a["stage"] == "answer"]  # fmt: skip
        assert rungs == sorted(rungs)
        assert len(rungs) <= 20
    said = say("replay", "day", "--json")
    assert (said.code, said.document["differences"], said.document["jobs"]) == (0, [], len(BODIES))
    assert said.document["decisions"] >= len(BODIES)


@pytest.mark.parametrize(
    "tampering",
    [
        "UPDATE calls SET output = '{\"reply\": \"No.\"}' WHERE purpose = 'answer'",
        "UPDATE calls SET output = replace(output, 'confidence\"\\:0.9', 'confidence\"\\:0.1')",
        "UPDATE calls SET output = '{\"difficulty\": \"COMPLEX\"}' WHERE purpose = 'classify'",
        "UPDATE calls SET stop_reason = 'refusal' WHERE purpose = 'answer'",
        "UPDATE attempts SET decision = 'climb:opus' WHERE stage = 'answer'",
        "UPDATE attempts SET outcome = 'rejected', reasons = '{length}' WHERE stage = 'answer'",
        "UPDATE attempts SET decision = 'start:opus' WHERE stage = 'route'",
        "UPDATE runs SET policy = jsonb_set(policy, '{accept,threshold}', '\"0.99\"')",
    ],
)
def test_replay_notices_a_record_that_was_touched(
    engine: Engine, settings: Settings, simulator: Simulator, tampering: str
) -> None:
    # given
    sure = {"reply": "Your card was sent on Monday.", "grounds": "known", "confidence": 0.9}
    raw = json.dumps(sure, separators=(",", ":"))
    simulator[0].moods.replace(
        [
            {"match": {"purpose": "answer"}, "do": {"text": raw}},
            {"match": {"purpose": "classify"}, "do": {"json": {"difficulty": "SIMPLE"}}},
        ]
    )
    work_off(engine, settings, BODIES[:2])
    assert say("replay", "day").code == 0
    # when
    do(engine, tampering)
    # then
    said = say("replay", "day", "--json")
    assert said.code == 1
    assert len(said.document["differences"]) == 2
    assert "differences" in say("replay", "day").err


def test_the_bill_is_the_ledger_told_apart(
    engine: Engine, settings: Settings, simulator: Simulator
) -> None:
    # given: one of three messages climbs from haiku to sonnet, and a call is lost on the way
    simulator[0].moods.replace(
        [
            {"match": {"purpose": "check", "contains": "two"}, "do": {"text": "LOW"}},
            {"match": {"purpose": "check"}, "do": {"text": "HIGH"}},
            {
                "match": {"purpose": "answer", "contains": "three", "first": 1},
                "do": {"reset": True},
            },
        ]
    )
    bodies = [f"Where is card {number}?" for number in ("one", "two", "three")]
    work_off(engine, settings, bodies, policy="escalate")
    # when
    bill = say("cost", "day", "--json").document
    # then
    by = {
        (row[0], row[1]): float(row[2])
        for row in many(engine, "SELECT purpose, state, sum(cost) FROM calls GROUP BY 1, 2")
    }
    unused = """SELECT sum(cost) FROM calls c WHERE purpose = 'answer' AND state = 'done'
    AND NOT EXISTS (SELECT FROM results r WHERE r.job_id = c.job_id AND r.fence = c.fence)"""
    expected = {
        "total_usd": sum(by.values()),
        "classifying_usd": 0,
        "checking_usd": by["check", "done"],
        "answering_usd": by["answer", "done"],
        "lost_usd": by["answer", "failed"],
        "escalating_usd": float(one(engine, unused)[0]),
        "resolved": one(engine, "SELECT count(*) FROM jobs WHERE state = 'answered'")[0],
    }
    assert {key: bill[key] for key in expected} == pytest.approx(expected, abs=1e-6)
    assert bill["per_resolved_usd"] == pytest.approx(bill["total_usd"] / bill["resolved"], abs=1e-6)
    opus = price_of("claude-opus-5-5", settings.prices)
    assert opus is not None
    tokens = one(
        engine,
        """SELECT sum(input_tokens), sum(cache_read_tokens), sum(cache_write_5m_tokens),
          sum(output_tokens), count(*) FROM calls WHERE purpose = 'answer' AND state = 'done'""",
    )
    rates = opus.base
    whole = (
        tokens[0] * rates.input + tokens[1] * rates.cache_read + tokens[2] * rates.cache_write_5m
        + tokens[3] * rates.output
    ) / 1_000_000  # fmt: skip
    assert bill["all_on_top"] == {
        "tier": "opus",
        "cost_usd": pytest.approx(float(whole * 3 / tokens[4]), abs=1e-6),
    }
    assert {(line["tier"], line["purpose"], line["model"], line["lane"]) for line in bill["lines"]}
    shown = say("cost", "day").out
    for words in (
        "claude-haiku-5-5", "realtime", "answer (failed)", "All on opus", "All on haiku", "Assumed",
        "classifying", "checking", "climbed past or not good enough", "lost", "a thousand",
        "The prompt cache",
    ):  # fmt: skip
        assert words in shown, words
