"""Worker CPU for a message, over that of a bare SDK loop making the same calls.

The worker answers messages of the sample backlog under the default policy; the ledger says which
calls that took, and while the worker goes on to the next round, a bare loop makes the calls of the
last one (prompts, schemas, models, limits) against the same simulator. Both are warmed up first,
and run at the same time, so that every moment of the machine meets both. Only the processes' own
CPU counts, user and system: the worker's alone, and then with that of Postgres (handing in
included) and Redis.
"""

import json
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from sqlalchemy import text

from benchmarks.figures import Figure, Finding
from benchmarks.house import House, house
from benchmarks.services import ENDS_WITHIN_S
from models.vocabulary import Purpose
from worker.claude.prompts import fenced, load_prompts
from worker.claude.requests import Ask
from worker.config.policies import policy_named
from worker.domain.messages import MessageText
from worker.domain.prompts import Prompts
from worker.domain.schemas import CLASSIFY_SCHEMA, answer_schema
from worker.sandbox.children import end
from worker.store.runs import RunRef

TARGET, TARGET_TOGETHER = 1.0, 1.6
ROUNDS = 3
WARM_UP = 150
IN_FLIGHT = {"haiku": 64, "sonnet": 32, "opus": 16}
LATENCY_SCALE = 0.2
"""A fifth of a believable latency: the worker is kept busy, and still has calls to wait for."""


def run(*, quick: bool = False) -> Finding:
    """The ratio, and the milliseconds behind it."""
    size = 500 if quick else 2_500
    ours = dict.fromkeys(("worker", "postgres", "redis", "wall", "wal"), 0.0)
    bare = {"cpu_s": 0.0, "wall_s": 0.0, "calls": 0}
    with house(latency_scale=LATENCY_SCALE, in_flight=IN_FLIGHT) as home:
        home.wait_for(home.hand_in("warm-up", WARM_UP), within_s=60)
        last = home.hand_in("round-0", size, first=WARM_UP)
        home.wait_for(last, within_s=300)
        for number in range(1, ROUNDS + 1):
            before = _spent(home)
            with _bare(home, last) as spent:
                last = home.hand_in(f"round-{number}", size, first=WARM_UP + number * size)
                home.wait_for(last, within_s=300)
                for part, amount in _spent(home).items():
                    ours[part] += amount - before[part]
            for figure, amount in spent.items():
                bare[figure] += amount
    messages = ROUNDS * size
    together = ours["worker"] + ours["postgres"] + ours["redis"]
    ratios = (ours["worker"] / bare["cpu_s"], together / bare["cpu_s"])
    return Finding(
        "worker_cpu",
        (
            Figure("worker CPU a message ÷ bare SDK loop", ratios[0], TARGET, at_most=True),
            Figure("with Postgres and Redis ÷ the same", ratios[1], TARGET_TOGETHER, at_most=True),
        ),
        {
            "messages": messages,
            "calls a message": bare["calls"] / messages,
            **{f"{p} ms": 1000 * ours[p] / messages for p in ("worker", "postgres", "redis")},
            "bare ms": 1000 * bare["cpu_s"] / messages,
            "WAL bytes a message": ours["wal"] / messages,
            "worker messages/s": messages / ours["wall"],
        },
    )


def _spent(home: House) -> dict[str, float]:
    """CPU seconds of each part, wall seconds, and bytes of Postgres's log, so far."""
    spent = {"worker": home.worker_cpu_s(), **home.services_cpu_s()}
    return {**spent, "wall": time.monotonic(), "wal": home.wal_bytes()}


@contextmanager
def _bare(home: House, made: RunRef) -> Iterator[dict[str, float]]:
    """A run's calls in a bare loop, in a process of its own; its figures are there afterwards."""
    systems = {str(p): prompt.system() for p, prompt in prompts_of(home).items()}
    lines = [json.dumps(systems), *(json.dumps(request) for request in requests_of(home, made))]
    concurrency = sum(IN_FLIGHT.values())
    process = subprocess.Popen(
        [sys.executable, "-m", "benchmarks.bare", home.simulator_url, str(concurrency)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert process.stdin is not None, "it is a pipe"
    process.stdin.write("\n".join(lines))
    process.stdin.close()
    spent = dict[str, float]()
    try:
        yield spent
        figures = process.stdout.read() if process.stdout is not None else ""
        if process.wait() != 0:
            raise RuntimeError("the bare loop failed")
        spent.update(json.loads(figures))
    finally:
        end(process, ENDS_WITHIN_S)


def requests_of(home: House, made: RunRef) -> Iterator[dict[str, Any]]:
    """The ledger's calls as parameters of `messages.create`, without their system prompts."""
    schema = answer_schema(policy_named(home.settings).accept)
    with home.engine.connect() as connection:
        for row in connection.execute(CALLS, {"run": made.id}):
            purpose = Purpose(row.purpose)
            said = fenced(
                MessageText(
                    body=row.body, subject=row.subject, channel=row.channel, language=row.language
                )
            )
            ask = Ask(
                key="",
                purpose=purpose,
                model=row.model,
                system=(),
                messages=[{"role": "user", "content": said}],
                schema=CLASSIFY_SCHEMA if purpose is Purpose.CLASSIFY else schema,
                max_tokens=row.max_tokens,
                effort=row.effort,
            )
            yield {**ask.parameters(), "purpose": purpose.value}


def prompts_of(home: House) -> Prompts:
    return load_prompts(home.settings.prompts.dir)


CALLS = text("""
SELECT c.purpose, c.model, a.max_tokens, a.effort, m.body, m.subject, m.channel, m.language
FROM jobs AS j JOIN messages AS m ON m.id = j.message_id JOIN attempts AS a ON a.job_id = j.id
JOIN calls AS c ON c.job_id = a.job_id AND c.fence = a.fence
WHERE j.run_id = :run ORDER BY c.sent_at, c.job_id
""")
