"""Example values for every statement that reads a big table, in a database of `backlog_rows`."""

import datetime as dt
from collections.abc import Mapping
from typing import Any

from sqlalchemy import Connection, TextClause, text

from tests.support.backlog_rows import DAY, NIGHT, OLD
from worker.store.queue.ranked import ranking
from worker.store.rows import as_json

TODAY = dt.datetime.now(dt.UTC).date()
LETTERS = {"run": None, "reason": None, "before_run": None, "before_job": None, "with_ids": False,
           "limit": 50, "window": 2_500}  # fmt: skip
ALL_RUNS = {"lowest": 0, "highest": 2**63 - 1}
TOKENS = {"input_tokens": 1, "cache_read_tokens": 0, "cache_write_5m_tokens": 0,
          "cache_write_1h_tokens": 0, "output_tokens": 1}  # fmt: skip


class Values:
    """Looked up once in a filled database."""

    def __init__(self, connection: Connection) -> None:
        def ids(where: str, limit: int = 200) -> list[int]:
            wanted = text(f"SELECT id FROM jobs WHERE {where} ORDER BY id LIMIT {limit}")
            return list(connection.execute(wanted).scalars())

        self.ready = ids(f"run_id = {DAY} AND state = 'queued'")
        self.batched = ids(f"run_id = {NIGHT} AND id % 7 = 0")
        self.answered = ids(f"run_id = {DAY} AND state = 'answered'")
        self.leased = ids("lease_until > now()")
        self.dispatched = ids("id IN (SELECT job_id FROM dispatches)")
        wanted = text("SELECT message_id FROM jobs WHERE finished_at IS NULL ORDER BY id LIMIT 500")
        self.messages = list(connection.execute(wanted).scalars())
        self.common: dict[str, Any] = self._common()
        self.special: dict[str, dict[str, Any]] = self._special()

    def of(self, name: str, wanted: Mapping[str, Any]) -> dict[str, Any]:
        """For the parameters of the statement of this name. Raises KeyError for one that nobody has
        thought of."""
        known = self.common | self.special.get(name, {})
        own = {one: bound.value for one, bound in wanted.items() if not bound.required}
        return own | {one: known[one] for one in wanted if one not in own}

    def knows(self, name: str, statement: TextClause) -> bool:
        """Whether there is a value for each parameter."""
        known = self.common | self.special.get(name, {})
        binds = statement._bindparams.items()
        return all(one in known for one, bound in binds if bound.required)

    def keys(self, ids: list[int], **more: Any) -> list[dict[str, Any]]:
        """Attempts of these jobs, with what else a row needs."""
        return [{"job_id": job, "fence": 1, "run_id": NIGHT, "purpose": "answer", **more}
                for job in ids]  # fmt: skip

    def _common(self) -> dict[str, Any]:
        return {
            "a": OLD, "b": DAY, "after": 0, "again": False, "age": dt.timedelta(days=30),
            "batch": 2, "before": None, "bins": 20, "steps": 60, "points": 25, "each": 60,
            "counts": "{}", "customer": "c7", "day": TODAY, "decided": False,
            "ended": False, "error": "no", "external": "m7", "external_id": "msgbatch_x",
            "factor": 2, "first": 0, "gate": "haiku", "gather": 0.0, "id": 2,
            "ids": self.ready, "job": self.answered[0], "jobs": self.answered, "lane": "batch",
            "lease": 180.0, "limit": 500, "model": "claude-haiku-5-5", "name": "haiku",
            "night": TODAY, "overdue": 10.0, "poll": 60.0, "priority": 0,
            "probing": False, "prompt": "p1", "prompt_version": "p2", "schema_version": "s",
            "queue": "routing", "queues": ["routing", "haiku", "batch.haiku", "batch.routing"],
            "read": [], "reason": None, "reply": None, "requests": 7, "reviewer": "ada",
            "rooms": as_json([{"queue": name, "room": 70} for name in ("haiku", "routing")]),
            "rows": as_json(self.keys(self.batched)), "run": DAY, "runs": [OLD, NIGHT, DAY],
            "seen": 10.0, "selection": None, "silent": 60.0, "simulated": True, "source": None,
            "stage": "answer", "state": "dead", "tier": "haiku", "top": "opus",
            "until": dt.datetime(2100, 1, 1, tzinfo=dt.UTC), "verdict": "accept", "wait": 15.0,
            "words": None, "worker": "host:1:a", "workers": ["host:1:a"],
            "before_run": None, "before_job": None, "with_ids": False,
            "share": 0.02, "inquiries": False, "judge": "ada", "purpose": "audit", "holder": "ada",
            "window": 2_500, "sources": ["day"] * 200, "purses": "[]", "size": 2_500,
            "characters": 240, "since": dt.datetime(2026, 1, 1, tzinfo=dt.UTC),
        }  # fmt: skip

    def _special(self) -> dict[str, dict[str, Any]]:
        text_ids = [f"m{n}" for n in range(1, 201)]
        closed = self.keys(self.batched, state="done", unpriced=False, cost="0.1", simulated=True,
                           shared=1, **TOKENS)  # fmt: skip
        totals = self.keys(self.batched[:3], tier="haiku", model="m", lane="batch", state="done",
                           simulated=True, calls=1, unpriced=0, cost="0.1", **TOKENS)  # fmt: skip
        claimed = [
            {"job_id": job, "fence": 1, "stage": "route", "tier": "haiku", "model": "m",
             "lane": "realtime", "policy_version": "v", "reserved": "0.1", "purpose": "classify",
             "available_at": "2026-01-01T00:00:00Z", "worst_cost": "0.1"}
            for job in self.ready
        ]  # fmt: skip
        return {
            "ranked.RANKED": ranking({DAY: ("pages",)}, 5),
            "wanting.READ_AND_SEARCH": ranking({DAY: ("pages",)}, 5),
            "audits.DRAW": {"again": 0.05},
            "audits.DRAW_LATER": {"again": 0.05},
            "audits.DRAW_SHADOWS": {"rows": as_json(
                {"job_id": job, "run_id": DAY, "shadow": 0.5} for job in self.answered)},
            "audits.LOOK_AT_ALL": {"rows": as_json(
                {"job_id": job, "run_id": DAY, "shadow": 0.5} for job in self.answered)},
            "canaries.COUNT": {"rows": as_json(self.keys(self.batched, reasons=[], good=1, bad=0))},
            "side_by_side.FEW": {"limit": 1_501},
            "side_by_side.MANY": {"run": OLD, "points": list(range(1, 4_000, 50)), "near": 25,
                                  "together": 5},
            "side_by_side.PAIRED": {"ids": self.answered, "run": OLD},
            "side_by_side.SHOWN": {"ids": self.answered},
            "review_queue.COUNT": LETTERS,
            "review_queue.COUNT_ALL": LETTERS,
            "review_queue.NEXT": LETTERS,
            "leases.WRITE_CLAIM": {"rows": as_json(claimed), "batch": None},
            "dispatch.FORGET_STALE": {"after": 60.0},
            "rights.LACKING": {"tables": ["jobs", "messages"]},
            "dispatch.UNMARK": {"ids": self.dispatched},
            "erasure.COUNT": {"ids": self.messages},
            "quoted_words.SAID": {"jobs": self.answered, "least": 8},
            "erasure.LOCK_JOBS": {"ids": self.messages},
            "erasure.STATEMENTS[classifications]": {"ids": self.messages},
            "erasure.STATEMENTS[messages]": {"ids": self.messages},
            "expire.EXPIRE": {"limit": 5_000},
            "gates.UNMARK": {"ids": self.dispatched, "queue": "haiku"},
            "history.PAST": {"ids": self.answered},
            "glances.NEWEST_OF_RUNS": {"runs": [DAY], "most": 2_500},
            "glances.NEWEST_OF_EACH": {"runs": [DAY, NIGHT], "most": 1_250},
            "glances.NEWEST_DEAD": {"runs": [OLD], "most": 250},
            "clusters.NEWEST": {"most": 500},
            "clusters.LARGEST": {"run": 0, "least": 3, "most": 20, **ALL_RUNS},
            "clusters.JOBS": {"cluster": 300, **ALL_RUNS},
            "clusters.TEXTS": {"ids": self.answered[:40]},
            "clusters.NOT_COMPARED": {"most": 500},
            **{f"review_clusters.{name}": {"keys": list(range(40)), "most": 200, "key": 7}
               for name in ("DUE", "FOUNDERS", "TRY_LOCK", "HOLD")},
            "review_clusters.FOUND": {"rows": as_json(
                {"id": job, "keys": [1, 2]} for job in self.answered)},
            "review_clusters.JOIN": {"rows": as_json(
                {"job_id": job, "cluster_id": 300} for job in self.answered)},
            "audits.NEWEST": {"runs": 10, "most": 500},
            "job_samples.EVENLY": {"places": 20, "neighbours": 5},
            **{f"facts.{name}": {"ids": self.answered} for name in
               ("RUNGS", "OF_THESE", "CLIMBS", "NEXT")},
            "job_samples.DRAWN": {"share": 0.02},
            "graded.MESSAGES_OF_JOBS": {"ids": self.answered},
            "graded.ANSWERS_OF_JOBS": {"ids": self.answered},
            "graded.SHADOWED_OF_JOBS": {"ids": self.answered},
            "inquiries.HAND_OVER": {"below": ["haiku"], "passes": 0.1},
            "inquiries.JOBS": {"ids": self.answered, "run": OLD},
            "intake.HOLDING": {"ids": text_ids},
            "intake.RESERVE": {"rows": 500},
            "leaving_batch.LEAVE_SENT": {"run": NIGHT, "limit": 5_000},
            "leaving_batch.LEAVE_UNSENT": {"run": NIGHT, "limit": 5_000},
            "ledger.ADD_TOTALS": {"rows": as_json(totals)},
            "ledger.CLOSE_CALLS": {"rows": as_json(closed), "prices": "[]"},
            "ledger.OPEN_CALLS": {
                "rows": as_json(self.keys(self.leased, tier="haiku", model="m", lane="realtime",
                                          worst_cost="0.1") )
            },
            "listing.ATTENTION[dead]": LETTERS,
            "listing.ATTENTION[review]": LETTERS,
            "listing.CAUSES[dead]": LETTERS,
            "listing.CAUSES[review]": LETTERS,
            "message_batches.KNOWN": {"ids": ["msgbatch_1"]},
            "message_batches.LOCK_TWO": {"ids": [1, 2]},
            "message_batches.CLOSE": {"state": "recorded"},
            "message_batches.OPEN": {"state": "submitted"},

            "receipts.BY_EXTERNAL_ID": {"id": "m77"},
            "receipts.BY_NUMBER": {"id": self.answered[0]},
            "receipts.BY_RUN": {"id": "m77", "run": f"run{NIGHT}"},
            "record.CLOSE_ATTEMPTS": {"rows": as_json(
                self.keys(self.batched, outcome="accepted", reasons=[], findings=[], cost="0.1"))},
            "record.COUNT_ESCALATIONS": {"rows": as_json(
                self.keys(self.batched, from_tier="haiku", to_tier="opus", reason="schema"))},
            "record.INSERT_ESCALATIONS": {"rows": as_json(
                self.keys(self.batched, from_tier="haiku", to_tier="opus", reason="schema"))},
            "record.INSERT_RESULTS": {"rows": as_json(
                self.keys(self.batched, reply="so", fields={}, tier="haiku", model="m",
                          accepted=True, reasons=[], simulated=True))},
            "record.MOVE_JOBS": {"rows": as_json(
                {"id": job, "unlease": True, "cost": "0.1", "delay_s": 0} for job in self.batched)},
            "record.REMEMBER_LABELS": {
                "rows": as_json(self.keys(self.batched, difficulty="SIMPLE"))
            },
            "rescue.OPEN_CALLS": {"ids": self.leased},
            "unheard_claims.UNHEARD": {"ids": self.leased, "worker": "w1"},
            "reviews.INSERT": {"verdict": "reject", "reason": "no"},
            "reviews.REJECT_ERASED": {"by": "ada"},
            "verdict_sheets.SAID": {"known": 1},
            "run_intake.CANCEL_REST": {"group": 5_000},
            "run_intake.END_LEFT_OPEN": {"group": 5_000},
            "sampling.CONFIDENCE": {"ids": self.answered},
            "sampling.COSTS": {"ids": self.answered},
            "sampling.LATENCY": {"ids": self.answered},
            "schedules.CLOSE": {"state": "done", "jobs": 1},
            "screens.DIFFERENCE": {"run": f"run{DAY}"},
            "silencing.ERASED": {"jobs": self.batched},
            "batches.BATCHES": {"run": NIGHT},
            "batches.UNCONFIRMED": {"after": 30.0},
            "screens.STOPS": {"runs": [DAY, NIGHT]},
            "suspects.LOST": {"rows": as_json(self.keys(self.batched))},
        }  # fmt: skip


FIRST_STAGED = (
    "INSERT INTO staged (line, source, external_id, body, digest, metadata)"
    " SELECT id, source, external_id, body, digest, metadata FROM messages"
    " WHERE source = 'day' ORDER BY id LIMIT 500"
)
FIRST_TRYING = (
    "INSERT INTO trying SELECT row_number() OVER (ORDER BY id), source, external_id, digest"
    " FROM messages WHERE source = 'day' ORDER BY id LIMIT 500"
)
BEFORE = dict.fromkeys(
    ("intake.INSERT_MESSAGES", "intake.INSERT_JOBS", "intake.EXPLAIN"), FIRST_STAGED
) | {"trial.JUDGE": FIRST_TRYING}
"""What has to be done first, in the same transaction."""
