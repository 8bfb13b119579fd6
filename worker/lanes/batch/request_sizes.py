"""How large the requests of a batch are: what one may hold is bounded in bytes."""

from worker.claude.planner import Planner
from worker.domain.claimed import Claimed

FRAME_BYTES = 4_000
"""Room for a request's own frame: schema, names, punctuation."""


def request_bytes(planner: Planner, claimed: Claimed) -> int:
    """Bytes of a request, a little too many."""
    if claimed.question is None:
        return 0
    candidate = claimed.candidate
    said = len(candidate.message.body.encode())
    said += sum(len(piece.text.encode()) for piece in candidate.context.pieces)
    answered = sum(len((past.output or "").encode()) for past in candidate.history)
    answered += len(candidate.kept.answer.text.encode()) if candidate.kept is not None else 0
    answered += len((candidate.judged or "").encode())
    prompt = planner.prompt_of(candidate, claimed.question.purpose).size_bytes
    return prompt + 2 * (said + answered) + FRAME_BYTES
