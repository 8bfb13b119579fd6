"""The pages that answers are to stand on, shown as their jobs are claimed: what was synced a moment
ago is shown to whoever is asked next, and the attempt keeps what it was shown.

Few pages stand whole in the prompt, many are searched for each message. Which of the two is decided
once for each run and version of its pages, by whoever claims first, and kept with the arithmetic.
"""

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any

from sqlalchemy import Connection, text

from models.vocabulary import Purpose, Stage
from worker.domain.claimed import Candidate
from worker.domain.context import ShownPassage
from worker.domain.fused import fused
from worker.domain.knowledge_cost import KnowledgeSize, KnowledgeWay, decide_way
from worker.domain.pages import version_of_pages
from worker.domain.passages import PagePassage
from worker.domain.pricing import Price
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
from worker.store.queue.shown_passages import ShownPassages

PriceOf = Callable[[str], tuple[str, Price | None]]
"""The model behind a tier, and its price."""
MAX_REMEMBERED = 500


class PagesShown:
    """The claims' side, for one worker process; remembers what was decided."""

    def __init__(self, price_of: PriceOf | None) -> None:
        """Without prices everything is searched."""
        self._price_of = price_of
        self._ways: dict[tuple[int, str], bool] = {}
        self._prompts: dict[tuple[str, str], Prompt] = {}
        self._kept = KeptPrompts()
        self._passages = ShownPassages()
        self._known: tuple[int | None, Mapping[str, SyncedFolder]] = (None, {})

    def shown_to(
        self, connection: Connection, candidates: Sequence[Candidate], pages_at: int | None = None
    ) -> list[Candidate]:
        """The candidates, each with the pages that its answer is to stand on. `pages_at` stands for
        all folders as they were a moment ago, in this transaction."""
        asking = [one for one in candidates if one.stage is Stage.ANSWER and one.policy.knowledge]
        if not asking:
            return list(candidates)
        folders = self._folders_at(connection, pages_at)
        named = {one.policy.knowledge for one in asking}
        versions = {names: version_of(names, folders) for names in named}
        whole = {
            one.job_id: self._with_all(connection, one, versions[one.policy.knowledge])
            for one in asking
            if self._is_whole(connection, one, folders, versions[one.policy.knowledge])
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

    def _is_whole(
        self,
        connection: Connection,
        one: Candidate,
        folders: Mapping[str, SyncedFolder],
        version: str,
    ) -> bool:
        if one.prompts is None or one.judged is not None or self._price_of is None:
            return False
        key = one.run_id, version
        if key in self._ways:
            return self._ways[key]
        known = connection.execute(KNOWN, {"run": one.run_id, "version": version}).scalar()
        if known is None:
            # Remembered only once it has been read back: this transaction may yet be undone.
            return self._decide(connection, one, folders, version)
        if len(self._ways) > MAX_REMEMBERED:
            self._ways.clear()
        self._ways[key] = bool(known)
        return bool(known)

    def _decide(
        self,
        connection: Connection,
        one: Candidate,
        folders: Mapping[str, SyncedFolder],
        version: str,
    ) -> bool:
        assert self._price_of is not None, "without prices nothing is decided"
        assert one.prompts is not None, "pages stand whole in a prompt that the run keeps"
        size = KnowledgeSize.together(
            folders[name].size for name in one.policy.knowledge if name in folders
        )
        model, price = self._price_of(one.policy.rungs.bottom)
        if price is None or not size.whole:
            return False
        way = decide_way(
            one.policy,
            size,
            price,
            model=model,
            lane=one.lane,
            messages=connection.execute(MESSAGES, {"run": one.run_id}).scalar_one(),
            prompt_version=one.prompts[Purpose.ANSWER].version,
        )
        shown = passages_of(connection, one.policy.knowledge) if way.whole else []
        values = {
            "run": one.run_id,
            "version": version,
            "shown": json.dumps({p.name: p.version for p in shown}) if way.whole else None,
            **{name: getattr(way, name) for name in KnowledgeWay.__slots__},
        }
        return bool(connection.execute(DECIDE, values).scalar_one())

    def _with_all(self, connection: Connection, one: Candidate, version: str) -> Candidate:
        assert one.prompts is not None, "pages stand whole in a prompt that the run keeps"
        base = one.prompts[Purpose.ANSWER]
        key = base.version, version
        if key not in self._prompts:
            if len(self._prompts) > MAX_REMEMBERED // 10:
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
        queries = [
            Query(
                key=one.job_id,
                text=one.message.text,
                folders=one.policy.knowledge,
                language=_language(one),
            )
            for one in asking
        ]
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


def _language(candidate: Candidate) -> str | None:
    return (candidate.message.language or "")[:2].lower() or None


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


def ways_of(connection: Connection, run_id: int) -> dict[str, KnowledgeWay]:
    """How a run was shown its pages, by their version."""
    rows: Any = connection.execute(WAYS, {"run": run_id})
    names = KnowledgeWay.__slots__
    return {row.version: KnowledgeWay(**{n: getattr(row, n) for n in names}) for row in rows}


KNOWN = text("SELECT whole FROM run_knowledge WHERE run_id = :run AND version = :version")
MESSAGES = text("""
SELECT coalesce(sum(jobs), 0)::bigint AS jobs FROM run_counts WHERE run_id = :run
""")
# Two that claim at once decide alike, for whoever comes second is told what the first has said.
DECIDE = text("""
INSERT INTO run_knowledge (run_id, version, whole, by, shown, model, lane, messages, tokens_whole,
  tokens_searched, usd_whole, usd_searched)
VALUES (:run, :version, :whole, :by, CAST(:shown AS jsonb), :model, :lane, :messages,
  :tokens_whole, :tokens_searched, :usd_whole, :usd_searched)
ON CONFLICT (run_id, version) DO UPDATE SET whole = run_knowledge.whole RETURNING whole
""")
WAYS = text("SELECT * FROM run_knowledge WHERE run_id = :run")
