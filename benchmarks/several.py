"""How many messages a second one, two, four and eight worker processes answer, and what ends first.

One and two are run, with Claude's latency short enough that the machine is the bound; four and
eight are computed from the CPU that a message took in each part, Postgres's with its intake, as if
there were a processor for each process. The rate of one process is that of one that never waits for
a processor. Redis is one process, so its share of one processor is its limit; Postgres takes as
many as it is given.
"""

import time

from benchmarks.figures import Figure, Finding
from benchmarks.house import house

MEASURED, COMPUTED = (1, 2), (1, 2, 4, 8)
IN_FLIGHT = {"haiku": 64, "sonnet": 32, "opus": 16}
LATENCY_SCALE = 0.1
WARM_UP = 150
REDIS_FULL = 0.7
"""Of one processor. Above it bursts wait."""
PARTS = ("worker", "postgres", "redis")


def run(*, quick: bool = False) -> Finding:
    """Messages a second; and shares of one processor."""
    size = 600 if quick else 3_000
    rates, spent = dict[int, float](), dict.fromkeys(PARTS, 0.0)
    for workers in MEASURED:
        rates[workers], took = _drained(workers, size)
        for part in PARTS:
            spent[part] += took[part]
    a_message = {part: spent[part] / (size * len(MEASURED)) for part in PARTS}
    alone = 1 / a_message["worker"]
    most = COMPUTED[-1] * alone
    return Finding(
        "several",
        (
            Figure("messages/s of two processes ÷ of one", rates[2] / rates[1], 1.0, False),
            Figure(
                f"Redis at {COMPUTED[-1]} processes, of a processor",
                most * a_message["redis"],
                REDIS_FULL,
                True,
            ),
        ),
        {
            **{f"{n} measured, messages/s": rate for n, rate in rates.items()},
            **{f"{part} CPU ms a message": 1000 * a_message[part] for part in PARTS},
            **{
                f"{n} with a processor each": f"{n * alone:.0f} messages/s, Redis"
                f" {n * alone * a_message['redis']:.2f} and Postgres"
                f" {n * alone * a_message['postgres']:.1f} processors"
                for n in COMPUTED
            },
            "simulated": True,
        },
    )


def _drained(workers: int, size: int) -> tuple[float, dict[str, float]]:
    """Messages a second of a backlog, and CPU seconds of each part."""
    with house(latency_scale=LATENCY_SCALE, in_flight=IN_FLIGHT, workers=workers) as home:
        home.wait_for(home.hand_in("warm-up", WARM_UP), within_s=120)
        before = {"worker": home.worker_cpu_s(), **home.services_cpu_s()}
        made = home.hand_in("drain", size, first=WARM_UP)
        began = time.monotonic()
        home.wait_for(made, within_s=600)
        rate = size / (time.monotonic() - began)
        after = {"worker": home.worker_cpu_s(), **home.services_cpu_s()}
    return rate, {part: after[part] - before[part] for part in PARTS}
