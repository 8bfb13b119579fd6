"""Rows put straight into the tables, so that each of them misses one condition of a statement."""

from typing import Any

from sqlalchemy import Connection, TextClause, text

from worker.store.rows import as_json

RUN = {"policy": "{}", "policy_name": "ladder", "policy_version": "v", "accepting": False}
ATTEMPT = {"stage": "answer", "tier": "haiku", "model": "m", "lane": "realtime", "fence": 1,
           "policy_version": "v", "budget_day": "2026-01-01", "available_at": "2026-01-01",
           "prompt_version": "p", "schema_version": "s", "worker": "me"}  # fmt: skip
CALL = {"purpose": "answer", "tier": "haiku", "model": "m", "lane": "realtime", "fence": 1}
BATCH = {"stage": "answer", "tier": "haiku", "model": "m", "requests": 1}
CERTIFICATE = {"claim": "accuracy", "tier": "haiku", "top": "opus", "alpha": 0.05, "delta": 0.05,
               "errors": 0, "labels": 100, "upper": 0.03, "coverage": 0.5, "threshold": 0.9,
               "segment_by": "difficulty", "key": "{}", "runs": "[]", "sources": "{}",
               "issued_by": "a test"}  # fmt: skip
PAST, FUTURE = "now() - interval '1 hour'", "now() + interval '1 hour'"


class Rows:
    """Makes rows in a transaction that is rolled back."""

    def __init__(self, connection: Connection) -> None:
        self.connection = connection
        self.made = 0

    def insert(self, table: str, returning: str | None, **columns: Any) -> int:
        """A row; a value that is an expression of time is written out."""
        named, bound = list[str](), dict[str, Any]()
        for name, value in columns.items():
            if isinstance(value, str) and value.startswith("now()"):
                named.append(value)
            else:
                named.append(f":{name}")
                bound[name] = value
        statement = f"INSERT INTO {table} ({', '.join(columns)}) VALUES ({', '.join(named)})"
        if returning is None:
            self.connection.execute(text(statement), bound)
            return 0
        return int(self.connection.execute(text(f"{statement} RETURNING {returning}"), bound)
                   .scalar_one())  # fmt: skip

    def run(self, **columns: Any) -> int:
        self.made += 1
        return self.insert("runs", "id", **RUN | {"name": f"run{self.made}"} | columns)

    def message(self, **columns: Any) -> int:
        self.made += 1
        known = {"source": "s", "external_id": f"m{self.made}", "body": "Where?",
                 "digest": f"d{self.made}".encode()}  # fmt: skip
        return self.insert("messages", "id", **known | columns)

    def job(self, run: int, message: int | None = None, **columns: Any) -> int:
        """Of a message of its own, if none is given; marked where it has a `dispatched_at`."""
        marked = columns.pop("dispatched_at", None)
        found = message or self.message()
        if columns.get("state") in ("answered", "dead", "review", "cancelled"):
            columns.setdefault("finished_at", "now()")
        job = self.insert("jobs", "id", run_id=run, message_id=found, **columns)
        if marked:
            queue = self.one("SELECT queue FROM jobs WHERE id = :id", id=job)[0]
            self.insert("dispatches", None, job_id=job, queue=queue, dispatched_at=marked)
        return job

    def routed(self, run: int, message: int | None = None, **columns: Any) -> int:
        """A job that waits for haiku, or is held by a worker."""
        return self.job(run, message, **{"state": "routed", "tier": "haiku", "fence": 1} | columns)

    def sent(self, run: int, batch: int, **columns: Any) -> int:
        """A job that is at Claude in a batch, with its open attempt."""
        known = {"state": "submitted", "tier": "haiku", "fence": 1, "lane": "batch"}
        attempt = {key: columns.pop(key) for key in ("outcome", "attempt_fence") if key in columns}
        job = self.job(run, columns.pop("message", None), **known | columns)
        self.attempt(job, batch_id=batch, lane="batch", outcome=attempt.get("outcome", "started"),
                     fence=attempt.get("attempt_fence", 1))  # fmt: skip
        return job

    def attempt(self, job: int, **columns: Any) -> None:
        if columns.get("outcome", "started") != "started":
            columns.setdefault("finished_at", "now()")
        self.insert("attempts", None, job_id=job, **ATTEMPT | columns)

    def call(self, job: int, **columns: Any) -> None:
        self.insert("calls", None, job_id=job, **CALL | columns)

    def batch(self, **columns: Any) -> int:
        return self.insert("message_batches", "id", **BATCH | columns)

    def answered(self, run: int, message: int | None = None, **attempt: Any) -> int:
        """A job with an accepted answer."""
        job = self.job(run, message, state="answered")
        known = {"outcome": "accepted", "fence": 1, "tier": "haiku"} | attempt
        self.attempt(job, **known)
        self.insert("results", None, job_id=job, fence=known["fence"], reply=f"reply {job}",
                    tier=known["tier"], model="m", accepted=True)  # fmt: skip
        return job

    def audited(self, job: int, run: int, **columns: Any) -> None:
        known = {"fence": 1, "tier": "haiku", "probability": "0.5"}
        self.insert("audits", None, job_id=job, run_id=run, **known | columns)

    def judged(self, job: int, right: bool | None = True, **columns: Any) -> int:
        """A verdict of Ada's, if nothing else is said."""
        known = {"fence": 1, "grader": "person", "grader_name": "ada"}
        return self.insert("truths", "id", job_id=job, is_right=right, **known | columns)

    def certificate(self, **columns: Any) -> int:
        return self.insert("certificates", "id", **CERTIFICATE | columns)

    def tier(self, name: str, **columns: Any) -> None:
        self.insert("tiers", None, name=name, **columns)

    def forget(self, table: str) -> None:
        self.connection.execute(text(f"DELETE FROM {table}"))

    def all(self, statement: TextClause | str, **values: Any) -> list[Any]:
        """What a statement gives; lists of rows travel as JSON."""
        for name in ("rows", "prices"):
            if isinstance(values.get(name), list):
                values[name] = as_json(values[name])
        found = self.connection.execute(text(statement) if isinstance(statement, str)
                                        else statement, values)  # fmt: skip
        return [tuple(row) for row in found] if found.returns_rows else []

    def firsts(self, statement: TextClause | str, **values: Any) -> list[Any]:
        """The first column, in order."""
        return sorted(row[0] for row in self.all(statement, **values))

    def one(self, statement: str, **values: Any) -> Any:
        """The only row."""
        (found,) = self.all(statement, **values)
        return found
