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
from worker.domain.pages import version_of_pages
from worker.domain.passages import PagePassage
from worker.domain.prompts import Prompt, with_pages
from worker.store.passages import (
    PASSAGES_SHOWN,
    FoundPassage,
    SyncedFolder,
    passages_named,
    passages_of,
    stored_folders,
)
from worker.store.prompts import KeptPrompts
from worker.store.queue.knowledge_ways import KnowledgeWays, PriceOf
from worker.store.queue.ranked import NOTHING, ToSearch, folders_of, rank_passages
from worker.store.queue.shown_passages import ShownPassages
from worker.store.queue.wanting import Wanting

MAX_PROMPTS = 50
MAX_SEARCHED = 20
"""Runs whose messages have their pages searched before a claim. Their names go with each look at a
chunk, so those of old runs are forgotten."""


class PagesShown:
    """The claims' side, for one worker process; remembers what was decided."""

    def __init__(self, price_of: PriceOf | None) -> None:
        """Without prices everything is searched."""
        self._ways = KnowledgeWays(price_of)
        self._prompts: dict[tuple[str, str], Prompt] = {}
        self._kept = KeptPrompts()
        self._passages = ShownPassages()
        self._known: tuple[int | None, Mapping[str, SyncedFolder]] = (None, {})
        self.to_search = NOTHING
        """Runs whose messages are known to have their pages searched, in the folders as they were
        seen last. Never changed, for other threads read it: another takes its place."""

    @property
    def searching(self) -> Set[int]:
        """Runs whose messages had their pages searched when one was claimed last."""
        return self._ways.searching

    def found_before(
        self, connection: Connection, jobs: Sequence[Wanting], search: ToSearch
    ) -> dict[int, FoundPages]:
        """What was found, by job; nothing where a folder was synced since it was last seen: then
        their claim searches."""
        searched = [one for one in jobs if one.run_id in search.versions]
        if not searched or search.at is None or searched[0].pages_at != search.at:
            return {}
        best = {one.job_id: one.best for one in searched}
        found = self._passages.named(connection, best, folders_of(search.folders))
        return {
            one.job_id: FoundPages(found[one.job_id], search.versions[one.run_id], search.at)
            for one in searched
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
        self._note_searched(searched, versions, pages_at)
        return [whole.get(one.job_id) or found.get(one.job_id) or one for one in candidates]

    def _note_searched(
        self,
        searched: Sequence[Candidate],
        versions: Mapping[tuple[str, ...], str],
        pages_at: int | None,
    ) -> None:
        """For the chunks to come. What a retriever finds is joined with what words find as they
        are claimed, so runs with one are left out."""
        runs = {
            one.run_id: one.policy.knowledge
            for one in searched
            if one.policy.context.retriever is None and one.judged is None
            if self._ways.searches(one.run_id, one.prompts, versions[one.policy.knowledge])
        }
        known = self.to_search
        if pages_at is None or (runs.keys() <= known.folders.keys() and known.at == pages_at):
            return
        if known.at != pages_at or len(known.folders) >= MAX_SEARCHED:
            known = NOTHING
        of_runs = {run: versions[names] for run, names in runs.items()}
        self.to_search = ToSearch(
            {**known.folders, **runs}, {**known.versions, **of_runs}, pages_at
        )

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
        if not asking:
            return {}
        folders = {one.run_id: one.policy.knowledge for one in asking}
        ids = [one.job_id for one in asking]
        best = rank_passages(connection, ids, folders, PASSAGES_SHOWN)
        found = self._passages.named(connection, best, folders_of(folders))
        return {
            one.job_id: _shown(connection, one, found[one.job_id], versions[one.policy.knowledge])
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


def _shown(
    connection: Connection, one: Candidate, found: Sequence[ShownPassage], version: str
) -> Candidate:
    context = one.context
    if one.retrieved:
        found = _with_retrieved(connection, one, found)
    if found:
        context = replace(context, passages=tuple(found))
    return replace(one, context=context, knowledge_version=version)


def version_of(names: Sequence[str], folders: Mapping[str, SyncedFolder]) -> str:
    """The version of folders together, whether or not they were synced."""
    return version_of_pages(
        (name, folders[name].version if name in folders else "") for name in names
    )
