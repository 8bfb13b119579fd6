"""The pages that answers are to stand on, shown as their jobs are claimed: what was synced a moment
ago is shown to whoever is asked next, and the attempt keeps what it was shown. Whether these are
all, or what is found for a message, is said in `knowledge_ways`.

Where messages are known to have their pages searched, that is done before they are claimed, for a
whole chunk at once; a claim that sees the folders in another state searches again.
"""

from collections.abc import Mapping, Sequence, Set
from dataclasses import replace

from sqlalchemy import Connection

from models.vocabulary import Purpose, Stage
from worker.domain.claimed import Candidate, FoundPages
from worker.domain.context import ShownPassage
from worker.domain.fused import fused
from worker.domain.messages import MessageText
from worker.domain.pages import version_of_pages
from worker.domain.passages import PagePassage
from worker.domain.policy import Policy
from worker.domain.prompts import Prompt, with_pages
from worker.store.passages import (
    PASSAGES_SHOWN,
    FoundPassage,
    Query,
    SyncedFolder,
    passages_named,
    passages_of,
    stored_folders,
)
from worker.store.prompts import KeptPrompts
from worker.store.queue.knowledge_ways import KnowledgeWays, PriceOf
from worker.store.queue.shown_passages import ShownPassages
from worker.store.queue.wanting import Wanting

MAX_PROMPTS = 50


class PagesShown:
    """The claims' side, for one worker process; remembers what was decided."""

    def __init__(self, price_of: PriceOf | None) -> None:
        """Without prices everything is searched."""
        self._ways = KnowledgeWays(price_of)
        self._prompts: dict[tuple[str, str], Prompt] = {}
        self._kept = KeptPrompts()
        self._passages = ShownPassages()
        self._known: tuple[int | None, Mapping[str, SyncedFolder]] = (None, {})

    @property
    def searching(self) -> Set[int]:
        """Runs whose messages had their pages searched when one was claimed last."""
        return self._ways.searching

    def found_before(
        self, connection: Connection, jobs: Sequence[Wanting]
    ) -> dict[int, FoundPages]:
        """What is found for those whose pages are searched, by job. What a retriever finds is
        joined with it as they are claimed, so those with one are left out."""
        if not jobs or (pages_at := jobs[0].pages_at) is None:
            return {}
        folders = self._folders_at(connection, pages_at)
        versions = {names: version_of(names, folders) for names in {job.folders for job in jobs}}
        searched = [
            job
            for job in jobs
            if job.folders and job.use.retriever is None
            if self._ways.searches(job.run_id, job.frozen, versions[job.folders])
        ]
        queries = [_query(one.job_id, one.asked.message, one.frozen.policy) for one in searched]
        found = self._passages.find(connection, queries, PASSAGES_SHOWN) if searched else {}
        return {
            job.job_id: FoundPages(tuple(found[job.job_id]), versions[job.folders], pages_at)
            for job in searched
        }

    def shown_to(
        self, connection: Connection, candidates: Sequence[Candidate], pages_at: int | None = None
    ) -> list[Candidate]:
        """The candidates, each with the pages that its answer is to stand on; some have them
        already. `pages_at` stands for all folders as they were a moment ago, in this transaction.
        """
        asking = [
            one
            for one in candidates
            if one.stage is Stage.ANSWER and one.policy.knowledge and not one.knowledge_version
        ]
        if not asking:
            return list(candidates)
        folders = self._folders_at(connection, pages_at)
        named = {one.policy.knowledge for one in asking}
        versions = {names: version_of(names, folders) for names in named}
        whole = {
            one.job_id: self._with_all(connection, one, versions[one.policy.knowledge])
            for one in asking
            if self._ways.is_whole(connection, one, folders, versions[one.policy.knowledge])
        }
        searched = [one for one in asking if one.job_id not in whole]
        found = self._searched(connection, searched, versions)
        return [whole.get(one.job_id) or found.get(one.job_id) or one for one in candidates]

    def _folders_at(
        self, connection: Connection, pages_at: int | None
    ) -> Mapping[str, SyncedFolder]:
        """Every folder: read again when one was synced."""
        if pages_at is None or pages_at != self._known[0]:
            self._known = pages_at, stored_folders(connection)
        return self._known[1]

    def _with_all(self, connection: Connection, one: Candidate, version: str) -> Candidate:
        assert one.prompts is not None, "pages stand whole in a prompt that the run keeps"
        base = one.prompts[Purpose.ANSWER]
        key = base.version, version
        if key not in self._prompts:
            if len(self._prompts) > MAX_PROMPTS:
                self._prompts.clear()
            passages = passages_of(connection, one.policy.knowledge)
            self._prompts[key] = with_pages(base, [_as_passage(one) for one in passages])
        self._kept.keep(connection, self._prompts[key])
        prompts = {**one.prompts, Purpose.ANSWER: self._prompts[key]}
        return replace(one, prompts=prompts, knowledge_version=version)

    def _searched(
        self,
        connection: Connection,
        asking: Sequence[Candidate],
        versions: Mapping[tuple[str, ...], str],
    ) -> dict[int, Candidate]:
        """Those with the passages that their messages are about, in one statement."""
        queries = [_query(one.job_id, one.message, one.policy) for one in asking]
        found = self._passages.find(connection, queries, PASSAGES_SHOWN)
        for one in asking:
            if one.retrieved:
                found[one.job_id] = _with_retrieved(connection, one, found[one.job_id])
        return {
            one.job_id: _shown(one, found[one.job_id], versions[one.policy.knowledge])
            for one in asking
        }


def _as_passage(found: FoundPassage) -> PagePassage:
    return PagePassage(
        id=found.name, heading=found.heading, text=found.text, language=found.language
    )


def _with_retrieved(
    connection: Connection, one: Candidate, by_words: Sequence[ShownPassage]
) -> list[ShownPassage]:
    """The best of what words and a retriever found; ids of no passage of its folders are passed
    over."""
    named = passages_named(connection, one.policy.knowledge, one.retrieved)
    known = {name: ShownPassage(name, its.version, its.text) for name, its in named.items()}
    known |= {passage.id: passage for passage in by_words}
    orders = [
        [name for name in one.retrieved if name in known],
        [passage.id for passage in by_words],
    ]
    return [known[name] for name in fused(orders, PASSAGES_SHOWN)]


def _query(job_id: int, message: MessageText, policy: Policy) -> Query:
    language = (message.language or "")[:2].lower() or None
    return Query(key=job_id, text=message.text, folders=policy.knowledge, language=language)


def _shown(candidate: Candidate, found: Sequence[ShownPassage], version: str) -> Candidate:
    context = candidate.context
    if found:
        context = replace(context, passages=tuple(found))
    return replace(candidate, context=context, knowledge_version=version)


def version_of(names: Sequence[str], folders: Mapping[str, SyncedFolder]) -> str:
    """The version of folders together, whether or not they were synced."""
    return version_of_pages(
        (name, folders[name].version if name in folders else "") for name in names
    )
