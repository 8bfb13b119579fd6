"""Intake: `rung enqueue` of a million real messages, beside one COPY of the same rows.

Both write into the same embedded Postgres, both from a file. The peer is the fastest thing that
Postgres offers: one COPY, one transaction, into a table like `messages` with its constraints and
indexes. Intake reads and checks JSON, stores each message once, makes its job, counts it by run,
tier and state, and commits chunk by chunk, so that a kill loses nothing that was accepted.
"""

import itertools
import json
import subprocess
import sys
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import orjson
import psycopg

from benchmarks.figures import Figure, Finding
from benchmarks.house import backlog
from benchmarks.processes import ended
from benchmarks.services import database

ROWS = 1_000_000
QUICK_ROWS = 100_000
COPY_BYTES = 1 << 20


def run(*, quick: bool = False) -> Finding:
    """Rates in rows a second of wall time; memory in MB, of the whole `rung enqueue` process."""
    rows = QUICK_ROWS if quick else ROWS
    with database() as environ:
        home = Path(environ["RUNG_HOME"])
        size = _write_backlog(home / "backlog.jsonl", home / "backlog.copy", rows)
        copy_s = _copied(environ["DATABASE_URL"], home / "backlog.copy", rows)
        intake = enqueued(environ, home / "backlog.jsonl", rows)
    return Finding(
        "intake",
        (
            Figure("intake rate ÷ COPY of the same rows", copy_s / intake.wall_s, 0.5, False),
            Figure(f"memory of intake at {rows:,} rows", intake.peak_mb, 200, True, " MB"),
        ),
        {
            "rows": rows,
            "file_mb": size / 1e6,
            "copy_rows_s": rows / copy_s,
            "intake_rows_s": rows / intake.wall_s,
            "intake_cpu_s": intake.cpu_s,
        },
    )


@dataclass(frozen=True, slots=True)
class Spent:
    """What one process took."""

    wall_s: float
    cpu_s: float
    peak_mb: float


def _write_backlog(lines: Path, copy: Path, rows: int) -> int:
    """The same messages as JSONL and in COPY's text format. Returns the bytes of the first."""
    with lines.open("wb") as as_json, copy.open("w", encoding="utf-8") as as_copy:
        for r in itertools.islice(backlog(), rows):
            values = (r.external_id, r.body, r.subject, r.channel, r.customer_id, r.language)
            names = ("external_id", "body", "subject", "channel", "customer_id", "language")
            as_json.write(orjson.dumps(dict(zip(names, values, strict=True))) + b"\n")
            digest = f"\\\\x{hash(r.body) & (2**64 - 1):032x}"
            as_copy.write("\t".join(["benchmark", *map(_plain, values), digest]) + "\n")
    return lines.stat().st_size


def _plain(value: str | None) -> str:
    if value is None:
        return "\\N"
    return json.dumps(value, ensure_ascii=False)[1:-1].replace('\\"', '"')


def _copied(url: str, path: Path, rows: int) -> float:
    """Seconds of one COPY into a table like `messages`; the table goes away again."""
    with psycopg.connect(url.replace("+psycopg", "")) as connection:
        connection.execute("CREATE TABLE peer (LIKE messages INCLUDING ALL)")
        connection.commit()
        began = time.monotonic()
        with (
            path.open("rb") as lines,
            connection.cursor().copy(
                "COPY peer (source, external_id, body, subject, channel, customer_id, language,"
                " digest) FROM STDIN"
            ) as copy,
        ):
            while block := lines.read(COPY_BYTES):
                copy.write(block)
        connection.commit()
        took = time.monotonic() - began
        _expect(connection, "SELECT count(*) FROM peer", rows)
        connection.execute("DROP TABLE peer")
    return took


def enqueued(environ: Mapping[str, str], path: Path, rows: int, *options: str) -> Spent:
    """`rung enqueue` of so many rows. Raises RuntimeError when not all of them went in."""
    command = [str(Path(sys.executable).with_name("rung")), "enqueue", str(path), "--json"]
    command += ["--source", "benchmark", "--budget", "1000000", *options]
    began = time.monotonic()
    process = subprocess.Popen(
        command, env=dict(environ), cwd=path.parent, stdout=subprocess.DEVNULL
    )
    used = ended(process)
    took = time.monotonic() - began
    with psycopg.connect(environ["DATABASE_URL"].replace("+psycopg", "")) as connection:
        _expect(connection, "SELECT count(*) FROM jobs", rows)
    return Spent(took, used.cpu_s, used.memory_mb)


def _expect(connection: psycopg.Connection, query: str, rows: int) -> None:
    found = connection.execute(query).fetchone()
    if found != (rows,):
        raise RuntimeError(f"{query}: {found}, not {rows:,}")
