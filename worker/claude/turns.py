"""The conversation that a request carries: the message, and what was said of it before."""

from collections.abc import Mapping, Sequence
from typing import Any

from worker.claude.prompts import fenced, fenced_reply
from worker.domain.claimed import (
    Candidate,
    PastAnswer,
)
from worker.domain.messages import MessageText
from worker.domain.policy import AGAIN


def user_turn(said: str) -> dict[str, Any]:
    """Something that we say."""
    return {"role": "user", "content": said}


def labelled(candidate: Candidate) -> tuple[str, MessageText]:
    """A message under the id that it has in a request shared with others."""
    return str(candidate.job_id), candidate.message


def hint_of(history: Sequence[PastAnswer], tier: str) -> Mapping[str, Any]:
    """What the last attempt at this tier left to be told, when it was to be asked again."""
    if history and history[-1].tier == tier and history[-1].decision == AGAIN:
        return history[-1].hint or {}
    return {}


def answer_turns(candidate: Candidate) -> list[dict[str, Any]]:
    """The conversation: the message, and when asked again the last answer and its findings; or the
    message with the reply that is to be judged."""
    if candidate.judged is not None:
        said = fenced_reply(candidate.message, candidate.judged, candidate.context)
        return [user_turn(said)]
    turns = [user_turn(fenced(candidate.message, context=candidate.context))]
    findings = hint_of(candidate.history, candidate.tier or "").get("findings")
    if findings:
        if last := (candidate.history[-1].output or "").strip():
            turns.append({"role": "assistant", "content": last})
        told = "\n".join(f"- {finding}" for finding in findings)
        words = f"That answer could not be used:\n{told}\nAnswer again, with this put right."
        if not last:
            turns[0]["content"] += f"\n\n{words}"
        else:
            turns.append(user_turn(words))
    return turns
