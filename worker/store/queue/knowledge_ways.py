"""Few pages stand whole in the prompt, many are searched for each message. Which of the two is
decided once for each run and version of its pages, by whoever claims first, and kept with the
arithmetic."""

import json
from collections.abc import Callable, Mapping
from typing import Any

from sqlalchemy import Connection, text

from models.vocabulary import Purpose
from worker.domain.claimed import Candidate
from worker.domain.knowledge_cost import KnowledgeSize, KnowledgeWay, decide_way
from worker.domain.pricing import Price
from worker.domain.prompts import Prompts
from worker.store.passages import SyncedFolder, passages_of

PriceOf = Callable[[str], tuple[str, Price | None]]
"""The model behind a tier, and its price."""
MAX_REMEMBERED = 500


class KnowledgeWays:
    """The claims' side, for one worker process; remembers what was decided."""

    def __init__(self, price_of: PriceOf | None) -> None:
        """Without prices everything is searched."""
        self._price_of = price_of
        self._ways: dict[tuple[int, str], bool] = {}
        self.searching = set[int]()
        """Runs whose last answer was to be searched for."""

    def searches(self, run_id: int, prompts: Prompts | None, version: str) -> bool:
        """Whether it is known, without asking, that messages of a run have their pages searched;
        `prompts` are those that the run froze."""
        never_whole = prompts is None or self._price_of is None
        return never_whole or self._ways.get((run_id, version)) is False

    def is_whole(
        self,
        connection: Connection,
        one: Candidate,
        folders: Mapping[str, SyncedFolder],
        version: str,
    ) -> bool:
        """Whether a message of this run is shown all pages; decided where nobody has yet."""
        whole = self._known(connection, one, folders, version)
        if whole:
            self.searching.discard(one.run_id)
        elif one.judged is None:
            if len(self.searching) > MAX_REMEMBERED:
                self.searching.clear()
            self.searching.add(one.run_id)
        return whole

    def _known(
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
