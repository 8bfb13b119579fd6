"""A certificate in force: what an answer must pass beside its policy's own threshold.

A certificate only ever asks for more: it was proved of answers that the policy had accepted, so it
says nothing of those below the policy's threshold. Valid, it asks for its threshold; amber, for
the stricter one; void, for what no answer has, so everything climbs.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass as plain
from decimal import Decimal
from functools import lru_cache
from typing import Literal

from pydantic import ConfigDict
from pydantic.dataclasses import dataclass

from worker.domain.messages import MessageText
from worker.domain.proof.graded import GradedAnswer, GradedMessage
from worker.domain.proof.scorer import Scorer, read

UNCERTIFIED = "uncertified"
"""Why an answer climbs that the policy alone would have taken."""


@dataclass(frozen=True, config=ConfigDict(extra="forbid"), kw_only=True)
class InForce:
    """As a run freezes it; `state` is that of the moment. `scorer` is JSON, None for the stated
    confidence. `key` is what answers must be given under."""

    number: int
    tier: str
    threshold: Decimal
    fallback: Decimal | None
    scorer: str | None
    segment_by: str
    key: Mapping[str, str]
    rehearsal: bool = False
    state: Literal["valid", "amber", "void"] = "valid"

    @property
    def standard(self) -> Decimal | None:
        """The score that an answer needs now; None: no score is enough."""
        match self.state:
            case "valid":
                return self.threshold
            case "amber":
                return self.fallback
        return None


@plain(frozen=True, slots=True)
class CertifiedScore:
    """An answer against a certificate: its score and what was asked."""

    certificate: int
    score: Decimal
    standard: Decimal | None

    @property
    def passes(self) -> bool:
        """Whether it may go out under the certificate."""
        return self.standard is not None and self.score >= self.standard


def standing(
    held: InForce,
    message: MessageText,
    difficulty: str | None,
    reply: str,
    confidence: Decimal | None,
) -> CertifiedScore:
    """How an answer stands against the certificate."""
    segment = segment_of(held.segment_by, message, difficulty)
    told = float(confidence) if confidence is not None else None
    score = score_of(held, segment, len(message.body), len(reply) or None, told)
    return CertifiedScore(held.number, score, held.standard)


def score_of(
    held: InForce, segment: str, chars: int, length: int | None, confidence: float | None
) -> Decimal:
    """What the certificate's scorer makes of an answer of `length` characters to a message of
    `chars`: the stated confidence itself where nothing was fitted."""
    if held.scorer is None:
        return Decimal(str(confidence or 0))
    answer = GradedAnswer(valid=True, right=None, confidence=confidence, length=length)
    score = _scorer(held.scorer).score(GradedMessage(name="", segment=segment, chars=chars), answer)
    return Decimal(str(score))


def segment_of(by: str, message: MessageText, difficulty: str | None) -> str:
    """What the message is parted by: its difficulty, channel, language, or a key of its
    metadata."""
    match by:
        case "difficulty":
            return difficulty or ""
        case "channel":
            return message.channel or ""
        case "language":
            return message.language or ""
    return str(message.attributes.get(by, ""))


@lru_cache(maxsize=16)
def _scorer(document: str) -> Scorer:
    return read(json.loads(document))
