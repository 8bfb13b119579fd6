"""The rows that a run has written, in the groups in which it wrote them, and the plainest
statements that write them again."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import psycopg
from psycopg.rows import dict_row

SEEDED = ("runs", "messages", "jobs", "budgets")
"""What is there before a worker begins."""
CLAIM_KEY, RECORD_KEY = "a.claimed_at::text", "a.xmin::text"
"""A claim's attempts have one moment, a record's were last written by one transaction."""
ATTEMPTS = "attempts AS a JOIN jobs AS j ON j.id = a.job_id"
CALLS = f"{ATTEMPTS} JOIN calls AS c ON (c.job_id, c.fence) = (a.job_id, a.fence)"


@dataclass(frozen=True, slots=True)
class Write:
    """Rows of one table, written by one statement: inserted, or changed where `keys` are given.
    `columns` names each with where its value is found; `also` is set for all."""

    table: str
    columns: dict[str, str]
    of: str = ATTEMPTS
    keys: tuple[str, ...] = ()
    also: str = ""
    only: str = "true"

    def statement(self, types: dict[str, str]) -> str:
        """With a parameter, an array, for each column."""
        lists = ", ".join(f"%({name})s::{_listed(types[name])}" for name in self.columns)
        values = f"unnest({lists}) AS u({', '.join(self.columns)})"
        cast = {name: f"u.{name}::{types[name]}" for name in self.columns}
        if not self.keys:
            selected = ", ".join(cast.values())
            return (
                f"INSERT INTO {self.table} ({', '.join(self.columns)}) SELECT {selected}"
                f" FROM {values} {self.also}"
            )
        sets = [f"{name} = {value}" for name, value in cast.items() if name not in self.keys]
        where = " AND ".join(f"t.{key} = u.{key}" for key in self.keys)
        also = [self.also] if self.also else []
        return f"UPDATE {self.table} AS t SET {', '.join(sets + also)} FROM {values} WHERE {where}"

    def arrays(self, source: psycopg.Connection, key: str, run_id: int) -> Iterator[dict[str, str]]:
        """The parameters of every group, with its `key` and when it was written."""
        columns = [
            f"array_agg({value}{'::text' if name in LISTS else ''} ORDER BY a.job_id)::text"
            f" AS {name}"
            for name, value in self.columns.items()
        ]
        moment = "min(a.claimed_at)" if key == CLAIM_KEY else "max(a.finished_at)"
        query = (
            f"SELECT {key} AS of_group, extract(epoch FROM {moment})::text AS moment,"
            f" {', '.join(columns)} FROM {self.of}"
            f" WHERE j.run_id = {run_id} AND {self.only} GROUP BY 1"
        )
        with source.cursor(row_factory=dict_row) as cursor:
            yield from cursor.execute(query)


LISTS = ("reasons",)


def _listed(kind: str) -> str:
    return "text[]" if kind.endswith("[]") else f"{kind}[]"


def _of(alias: str, names: str) -> dict[str, str]:
    return {name: f"{alias}.{name}" for name in names.split()}


GOES_ON = "a.fence < j.fence"
MARK = """
INSERT INTO dispatches (job_id, queue)
SELECT DISTINCT id, 'haiku' FROM unnest(%(id)s::bigint[]) AS u(id)
ON CONFLICT (job_id) DO UPDATE SET dispatched_at = now()
"""
CLAIM = (
    Write(
        "jobs",
        {"id": "a.job_id", "fence": "a.fence"},
        keys=("id",),
        also="lease_until = now() + interval '3 minutes'",
    ),
    Write(
        "attempts",
        _of(
            "a",
            "job_id fence stage tier model lane policy_version prompt_version schema_version effort"
            " max_tokens answer_fence reserved budget_day worker available_at context_digest"
            " knowledge_version",
        ),
    ),
    Write(
        "calls",
        _of("c", "job_id fence purpose tier model lane worst_cost"),
        of=CALLS,
        only="c.sent_at = a.claimed_at",
    ),
)
RECORD = (
    Write(
        "calls",
        _of(
            "c",
            "job_id fence purpose state input_tokens cache_read_tokens cache_write_5m_tokens"
            " cache_write_1h_tokens output_tokens cost price unpriced latency_ms stop_reason"
            " stop_category request_id http_status error service_tier simulated output shared"
            " finished_at",
        ),
        of=CALLS,
        keys=("job_id", "fence", "purpose"),
    ),
    Write(
        "attempts",
        _of(
            "a",
            "job_id fence outcome findings rule reasons difficulty confidence threshold decision"
            " hint score standard certificate_id cost finished_at",
        ),
        keys=("job_id", "fence"),
    ),
    Write(
        "results",
        _of(
            "r",
            "job_id fence reply fields tier model accepted confidence reasons simulated created_at",
        ),
        of=f"{ATTEMPTS} JOIN results AS r ON (r.job_id, r.fence) = (a.job_id, a.fence)",
    ),
    Write(
        "escalations",
        _of("e", "job_id fence from_tier to_tier reason detail at"),
        of=f"{ATTEMPTS} JOIN escalations AS e ON (e.job_id, e.fence) = (a.job_id, a.fence)",
    ),
    Write(
        "jobs",
        {
            "id": "j.id",
            "state": f"CASE WHEN {GOES_ON} THEN 'routed' ELSE j.state END",
            "tier": "j.tier",
            "rung": "j.rung",
            "difficulty": "j.difficulty",
            "cost": "a.cost",
            "attempts": "a.fence",
            "finished_at": f"CASE WHEN {GOES_ON} THEN NULL ELSE j.finished_at END",
        },
        keys=("id",),
        also="lease_until = NULL, available_at = now()",
    ),
    Write(
        "classifications",
        {
            "digest": "m.digest",
            "prompt_version": "a.prompt_version",
            "model": "a.model",
            "difficulty": "a.difficulty",
        },
        of=f"{ATTEMPTS} JOIN messages AS m ON m.id = j.message_id",
        also="ON CONFLICT DO NOTHING",
        only="a.difficulty IS NOT NULL AND a.rule IS NULL",
    ),
)
SPEND = """
UPDATE budgets SET reserved = reserved + %(amount)s::numeric, updated_at = now()
WHERE scope IN (%(run)s, (SELECT max(scope) FROM budgets WHERE day IS NOT NULL))
"""


@dataclass(frozen=True, slots=True)
class Group:
    """What one transaction writes: statements with their parameters, and when it did, in seconds
    since 1970."""

    at: float
    writes: list[tuple[str, dict[str, str]]]


def groups_of(source: psycopg.Connection, run_id: int) -> list[Group]:
    """Every transaction of a run that has ended, in order."""
    claims = _gathered(source, CLAIM, CLAIM_KEY, run_id, "1")
    records = _gathered(source, RECORD, RECORD_KEY, run_id, "-1")
    # Jobs are marked in larger groups than they are claimed in: about as large as are recorded.
    size = -(-len(claims) // max(len(records), 1))
    marks = [_marking(claims[start : start + size]) for start in range(0, len(claims), size)]
    return sorted([*claims, *records, *marks], key=lambda group: group.at)


def _marking(claims: Sequence[Group]) -> Group:
    ids = ",".join(claim.writes[0][1]["id"].strip("{}") for claim in claims)
    return Group(claims[0].at, [(MARK, {"id": f"{{{ids}}}"})])


def _gathered(
    source: psycopg.Connection, writes: Sequence[Write], key: str, run_id: int, amount: str
) -> list[Group]:
    groups = dict[str, Group]()
    for write in writes:
        statement = write.statement(_types(source, write.table))
        for row in write.arrays(source, key, run_id):
            group = groups.setdefault(row["of_group"], Group(float(row["moment"]), []))
            group.writes.append((statement, row))
    for group in groups.values():
        group.writes.append((SPEND, {"amount": amount, "run": f"run:{run_id}"}))
    return sorted(groups.values(), key=lambda group: group.at)


def _types(source: psycopg.Connection, table: str) -> dict[str, str]:
    return dict(source.execute(TYPES, [table]).fetchall())


def copy_seed(source: psycopg.Connection, target: psycopg.Connection) -> None:
    """Copies what a worker finds from one database to the other, past every trigger."""
    target.execute("SET session_replication_role = replica")
    for table in SEEDED:
        names = ", ".join(_types(source, table))
        with (
            source.cursor().copy(f"COPY {table} ({names}) TO STDOUT") as read,
            target.cursor().copy(f"COPY {table} ({names}) FROM STDIN") as written,
        ):
            for block in read:
                written.write(block)
    target.execute("RESET session_replication_role")


TYPES = """
SELECT attname, format_type(atttypid, NULL) FROM pg_attribute
WHERE attrelid = %s::regclass AND attnum > 0 AND NOT attisdropped AND attgenerated = ''
ORDER BY attnum
"""
