"""The pages that answers are to stand on, found as their jobs are claimed: what was synced a moment
ago is shown to whoever is asked next, and the attempt keeps what it was shown."""

from collections.abc import Mapping, Sequence
from dataclasses import replace

from sqlalchemy import Connection

from models.vocabulary import Stage
from worker.domain.claimed import Candidate
from worker.domain.context import ShownPassage
from worker.domain.pages import version_of_pages
from worker.store.passages import (
    PASSAGES_SHOWN,
    FoundPassage,
    Query,
    find_passages,
    stored_folders,
)


def with_passages(connection: Connection, candidates: Sequence[Candidate]) -> list[Candidate]:
    """The candidates, each with the passages that its message is about, in one statement."""
    queries = [
        Query(one.job_id, one.message.text, one.policy.knowledge, _language(one))
        for one in candidates
        if one.stage is Stage.ANSWER and one.policy.knowledge
    ]
    if not queries:
        return list(candidates)
    found, versions = find_passages(connection, queries, PASSAGES_SHOWN), stored_folders(connection)
    return [
        _shown(one, found[one.job_id], versions) if one.job_id in found else one
        for one in candidates
    ]


def _language(candidate: Candidate) -> str | None:
    return (candidate.message.language or "")[:2].lower() or None


def _shown(
    candidate: Candidate, found: Sequence[FoundPassage], versions: Mapping[str, str]
) -> Candidate:
    passages = tuple(ShownPassage(one.name, one.version, one.text) for one in found)
    searched = [(name, versions.get(name, "")) for name in candidate.policy.knowledge]
    return replace(
        candidate,
        context=replace(candidate.context, passages=passages) if found else candidate.context,
        knowledge_version=version_of_pages(searched),
    )
