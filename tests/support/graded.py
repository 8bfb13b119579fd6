"""Graded outcomes for tests: the shipped tables, and tables that are made up from a seed."""

import math
import random
from collections.abc import Sequence
from decimal import Decimal
from functools import cache
from pathlib import Path

from worker.domain.proof.claims import Claim
from worker.domain.proof.graded import GradedAnswer, GradedMessage, ladder_of
from worker.domain.proof.ladder_certificates import CertificateQuestion
from worker.intake.graded_tables import read_table

GRADED = Path(__file__).parents[2] / "examples" / "graded.csv.gz"
TABLES = ("adversarial", "cfpb", "gsm8k", "mmlu", "synthetic")
COSTS = {"haiku": Decimal("0.000245"), "sonnet": Decimal("0.0049"), "opus": Decimal("0.0098")}


@cache
def shipped(table: str) -> list[GradedMessage]:
    """One of the tables under examples/."""
    return read_table(GRADED, table).messages


def question(messages: Sequence[GradedMessage], **more: object) -> CertificateQuestion:
    """Accuracy at haiku at 5 %, on all labels and the stated confidence, but for what is given."""
    ladder = ladder_of(messages)
    asked: dict[str, object] = {
        "messages": messages,
        "labelled": messages,
        "ladder": ladder,
        "tier": ladder[0],
        "claim": Claim.ACCURACY,
        "alpha": 0.05,
        "delta": 0.05,
        "fitted": False,
    }
    return CertificateQuestion(**(asked | more))  # type: ignore[arg-type]


def redrawn(
    pool: Sequence[GradedMessage], count: int, chance: random.Random
) -> list[GradedMessage]:
    """`count` messages of the pool, with replacement, under names of their own."""
    drawn = (chance.choice(pool) for _ in range(count))
    return [
        GradedMessage(name=f"{i}", segment=m.segment, chars=m.chars, answers=m.answers)
        for i, m in enumerate(drawn)
    ]


def made_up(
    count: int,
    seed: int,
    *,
    right: float = 0.85,
    informative: float = 2.0,
    segments: Sequence[str] = ("card", "refund", "legal"),
    top: float = 0.97,
) -> list[GradedMessage]:
    """Messages of a ladder of three: confidence tells more of the truth the greater `informative`
    is, and nothing at 0; each segment is harder than the one before."""
    chance = random.Random(seed)
    found = []
    for number in range(count):
        place = chance.randrange(len(segments))
        ease = math.log(right / (1 - right)) - place + chance.gauss(0, 1)
        answers = {}
        for tier, lift in (("haiku", 0.0), ("sonnet", 1.2)):
            good = chance.random() < _logistic(ease + lift)
            felt = informative * (1 if good else -1) + ease / 2 + chance.gauss(0, 1)
            answers[tier] = GradedAnswer(
                valid=chance.random() < 0.98,
                right=good,
                confidence=round(_logistic(felt) * 20) / 20,
                length=chance.randrange(50, 400),
                cost=COSTS[tier],
            )
        answers["opus"] = GradedAnswer(valid=True, right=chance.random() < top, cost=COSTS["opus"])
        name = f"m{number:06}"
        found.append(
            GradedMessage(
                name=name, segment=segments[place], chars=chance.randrange(20, 900), answers=answers
            )
        )
    return found


def _logistic(value: float) -> float:
    return 1 / (1 + math.exp(-value))
