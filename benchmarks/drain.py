"""How fast a backlog drains, over the ideal: calls in flight ÷ mean latency.

One tier, one call a message, a believable latency of about a second, so that the CPU is free and
only Rung's own waiting (dispatch, delivery, claim, record) can keep a slot empty. Latency is what
the ledger recorded. The rate is that of the steady middle; the rate of the whole run, with its
start and its tail, is told beside it.
"""

import time
from typing import Any

from sqlalchemy import Row, text

from benchmarks.figures import Figure, Finding
from benchmarks.house import house
from benchmarks.processes import machine

TARGET = 0.85
IN_FLIGHT = 64
LATENCY_SCALE = 2.0
POLICY = "single:haiku"
MIDDLE = (0.10, 0.90)
"""Between these shares of the messages, in the order in which they finished."""


def run(*, quick: bool = False) -> Finding:
    """The ratio, and what it was made of."""
    size = 1_000 if quick else 5_000
    with house(latency_scale=LATENCY_SCALE, in_flight={"haiku": IN_FLIGHT}) as home:
        home.wait_for(home.hand_in("warm-up", IN_FLIGHT, policy=POLICY), within_s=60)
        before, cpu, began = machine(), home.worker_cpu_s(), time.monotonic()
        made = home.hand_in("drain", size, first=IN_FLIGHT, policy=POLICY)
        home.wait_for(made, within_s=600)
        wall = time.monotonic() - began
        cpu, busy = home.worker_cpu_s() - cpu, machine().busy_share_since(before)
        with home.engine.connect() as connection:
            values = {"run": made.id, "low": MIDDLE[0], "high": MIDDLE[1]}
            row: Row[Any] = connection.execute(MEASURE, values).one()
    ideal = IN_FLIGHT / row.latency_s
    rate = row.middle / row.middle_s
    return Finding(
        "drain",
        (Figure("drain rate ÷ ideal (in flight ÷ latency)", rate / ideal, TARGET, at_most=False),),
        {
            "messages": size,
            "messages/s": rate,
            "ideal": ideal,
            "whole run ÷ ideal": size / row.whole_s / ideal,
            "mean latency s": row.latency_s,
            "worker CPU share": cpu / wall,
            "machine busy": busy,
        },
    )


MEASURE = text("""
WITH finished AS (
  SELECT finished_at, percent_rank() OVER (ORDER BY finished_at) AS share, created_at
  FROM jobs WHERE run_id = :run
), middle AS (
  SELECT * FROM finished WHERE share BETWEEN :low AND :high
)
SELECT (SELECT count(*) - 1 FROM middle) AS middle,
  (SELECT extract(epoch FROM max(finished_at) - min(finished_at)) FROM middle)::float8 AS middle_s,
  (SELECT extract(epoch FROM max(finished_at) - min(created_at)) FROM finished)::float8 AS whole_s,
  (SELECT avg(c.latency_ms) / 1000 FROM calls AS c JOIN jobs AS j ON j.id = c.job_id
   WHERE j.run_id = :run)::float8 AS latency_s
""")
