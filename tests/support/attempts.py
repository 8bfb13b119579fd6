"""Claimed jobs, questions and what is heard, for tests of the machine of one attempt."""

import datetime as dt
import json
from dataclasses import replace
from decimal import Decimal
from typing import Any

from models.vocabulary import Lane, Purpose, Stage
from tests.support.prices import rates_of
from worker.domain.answers import Answer, ModelAnswer, Troubled
from worker.domain.attempt import Attempt, Standards
from worker.domain.claimed import Candidate, Claimed, Plan, Question
from worker.domain.ladder import Ladder
from worker.domain.messages import MessageText
from worker.domain.presets import preset
from worker.domain.pricing import Price, Usage
from worker.domain.trouble import Meaning, Trouble
from worker.domain.validation import BUILTIN

LADDER = Ladder(("haiku", "sonnet", "opus"))
PRICE = Price(rates_of("1", "5", "0.1", "1.25", "2"))
REPLY = "Your card was sent on Monday and arrives within five working days."
GOOD = json.dumps({"reply": REPLY, "grounds": "as asked", "confidence": 0.9})
WORST, CHECK_WORST = Decimal("0.02"), Decimal("0.005")


def attempt(plan: Plan, *, policy: str = "ladder", **fields: Any) -> Attempt:
    standards = Standards(
        price=lambda model: None if model == "free" else PRICE,
        instructions="",
        validators=BUILTIN,
        jitter=lambda: 0.5,
    )
    return Attempt(claimed(plan, policy=policy, **fields), standards)


def claimed(plan: Plan, *, policy: str = "ladder", job_id: int = 7, **fields: Any) -> Claimed:
    candidate = Candidate(
        job_id=job_id,
        run_id=1,
        fence=3,
        stage=Stage.ANSWER,
        lane=Lane.REALTIME,
        tier="haiku",
        remembered=None,
        failures=0,
        deferrals=0,
        message=MessageText(body="Where is my card? It was due on Monday."),
        policy=preset(policy, LADDER),
        policy_version="p",
        history=(),
        available_at=dt.datetime(2026, 11, 26, tzinfo=dt.UTC),
    )
    return Claimed(replace(candidate, **fields), plan)


def asks(purpose: Purpose, **fields: Any) -> Question:
    values: dict[str, Any] = {
        "purpose": purpose,
        "tier": "haiku",
        "model": "small",
        "worst_cost": WORST,
        "reserved": WORST + CHECK_WORST if purpose is Purpose.ANSWER else WORST,
        "prompt_version": "v",
        "schema_version": "s",
        "effort": None,
        "max_tokens": 100,
    }
    return Question(**{**values, **fields})


def said(text: str, stop: str = "end_turn") -> Answer:
    return Answer(
        answer=ModelAnswer(text, stop),
        usage=Usage(input_tokens=100, output_tokens=20),
        latency_ms=5,
        request_id="req",
        service_tier=None,
        simulated=True,
        headers={},
    )


def trouble(meaning: Meaning, *, free: bool = False) -> Troubled:
    return Troubled(Trouble(meaning=meaning, kind="as told", free=free), 5)
