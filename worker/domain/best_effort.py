"""What a person is given to work with, where no answer was accepted."""

from collections.abc import Sequence

from worker.domain.answers import parse_object
from worker.domain.claimed import Candidate, PastAnswer, Question
from worker.domain.endings import BestEffort
from worker.domain.judgement import Judgement
from worker.domain.reports import CallReport


def best_effort(
    candidate: Candidate, question: Question, judgement: Judgement, calls: Sequence[CallReport]
) -> BestEffort | None:
    """This attempt's reply, or else the latest earlier one that a person could use."""
    if not judgement.reply:
        return earlier_answer(candidate.history)
    return BestEffort(
        fence=candidate.fence,
        reply=judgement.reply,
        fields=judgement.fields,
        tier=question.tier,
        model=question.model,
        confidence=judgement.confidence,
        reasons=judgement.reasons,
        simulated=any(call.simulated for call in calls),
    )


def earlier_answer(history: Sequence[PastAnswer]) -> BestEffort | None:
    """The latest reply of earlier attempts that a person could use."""
    for past in reversed(history):
        reply = (parse_object(past.output or "") or {}).get("reply")
        if isinstance(reply, str) and reply.strip():
            return BestEffort(
                fence=past.fence,
                reply=reply,
                fields={},
                tier=past.tier,
                model=past.model,
                confidence=None,
                reasons=past.reasons,
                simulated=past.simulated,
            )
    return None
