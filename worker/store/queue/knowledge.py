"""The pages that answers are to stand on, found as their jobs are claimed: what was synced a moment
ago is shown to whoever is asked next, and the attempt keeps what it was shown."""

from collections.abc import Sequence
from dataclasses import replace

from sqlalchemy import Connection

from models.vocabulary import Stage
from worker.domain.claimed import Candidate
from worker.domain.context import ShownPassage
from worker.store.passages import PASSAGES_SHOWN, FoundPassage, Query, find_passages


def with_passages(connection: Connection, candidates: Sequence[Candidate]) -> list[Candidate]:
    """The candidates, each with the passages that its message is about, in one statement."""
    queries = [
        Query(one.job_id, one.message.text, one.policy.knowledge, _language(one))
        for one in candidates
        if one.stage is Stage.ANSWER and one.policy.knowledge
    ]
    found = find_passages(connection, queries, PASSAGES_SHOWN)
    return [_shown(one, found.get(one.job_id, [])) for one in candidates]


def _language(candidate: Candidate) -> str | None:
    return (candidate.message.language or "")[:2].lower() or None


def _shown(candidate: Candidate, found: Sequence[FoundPassage]) -> Candidate:
    if not found:
        return candidate
    passages = tuple(ShownPassage(one.name, one.version, one.text) for one in found)
    return replace(candidate, context=replace(candidate.context, passages=passages))
