"""How much of a rate limit is used, and how many calls are refused, against enforced limits.

The simulated Claude enforces three limits at once, one of each kind: requests a minute on haiku,
input tokens on sonnet, output tokens on opus, each about `RATE_S` calls a second. A backlog larger
than what the limits let through is answered by one worker process, then by four that share Redis.
Then the same calls are made without Rung, against the same simulator: (a) by the SDK with its own
retries, as many calls at once as one worker may have, and (b) by the SDK with a fixed number at
once, the one that would be exactly right for the measured mean latency.

Steady state: the clock starts `WARM_S` after the first call, when ramps have ended and the six
seconds of burst that the simulator grants are gone. All counts are the simulator's.

What is used of a limit is all of it but what came in while the simulator's bucket was full: that
is gone, for nobody can send it any more. What was let through in the window, which stands among
the facts, is the same in the long run, and in a window of 60 s differs by up to a fiftieth: the
longest message of the backlog needs a whole second of sonnet's limit. Sent just before the window,
it is made up for by waiting within it; sent just before its end, after it. Neither leaves anything
unused.
"""

import json
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass, replace
from typing import Any

from sqlalchemy import text

from benchmarks.figures import Figure, Finding
from benchmarks.house import NO_LIMIT, House, house
from benchmarks.processes import machine
from benchmarks.worker_cpu import prompts_of, requests_of
from worker.domain.wording import percent
from worker.store.actions import changes
from worker.store.actions.selection import whole
from worker.store.audit import Actor
from worker.store.runs import RunRef

USED_AT_LEAST, REFUSED_AT_MOST = 0.99, 0.001
RATE_S = 20
LIMITS = {
    "haiku": (60 * RATE_S, NO_LIMIT, NO_LIMIT),
    "sonnet": (NO_LIMIT, 60 * RATE_S * 70, NO_LIMIT),
    "opus": (NO_LIMIT, NO_LIMIT, 60 * RATE_S * 230),
}
"""Requests, input and output tokens a minute, which the simulator enforces."""
KIND = {"haiku": "requests", "sonnet": "input_tokens", "opus": "output_tokens"}
"""Which of a tier's limits is the tight one."""
POLICY = "".join(
    ["[policies.by_channel]\nextends = 'fallback'\n"]
    + [
        f"[[policies.by_channel.start.rules]]\nname = '{tier}'\nchannels = ['{tier}']\n"
        f"tier = '{tier}'\n"
        for tier in LIMITS
    ]
)
IN_FLIGHT = {"haiku": 32, "sonnet": 64, "opus": 96}
LATENCY_SCALE = 0.5
WARM_UP = 72
"""Messages before anything is measured: past the canaries."""
WARM_S, WINDOW_S, QUICK_WINDOW_S = 12.0, 60.0, 8.0
PROCESSES = (1, 4)
"""Worker processes; the first alone when it must be quick, and only one peer beside it."""


def run(*, quick: bool = False) -> Finding:
    """Shares of the limits with one and with four worker processes, and without Rung."""
    window_s = QUICK_WINDOW_S if quick else WINDOW_S
    figures, facts = list[Figure](), dict[str, Any]()
    processes = PROCESSES[:1] if quick else PROCESSES
    for workers in processes:
        name = f"{workers} worker process" + ("es" if workers > 1 else "")
        with _house(workers) as home:
            used, run = _by_rung(home, window_s)
            figures += _figures(name, used)
            facts |= _facts(name, used)
            if workers == processes[-1]:
                right = {t: round(RATE_S * s) for t, s in _latencies(home, run).items()}
                peers = {"fixed number": right} | ({} if quick else {"SDK retries": IN_FLIGHT})
                for name, in_flight in peers.items():
                    facts |= _facts(name, _without_rung(home, run, in_flight, window_s))
    return Finding("limiter", tuple(figures), {"window s": window_s, **facts})


def _house(workers: int) -> AbstractContextManager[House]:
    return house(
        latency_scale=LATENCY_SCALE,
        in_flight=IN_FLIGHT,
        workers=workers,
        limits=LIMITS,
        more=POLICY,
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Used:
    """Of one case, by tier where not said otherwise."""

    shares: Mapping[str, float]
    """Of what the tight limit allows in the window, all but what was left unused."""
    let_through: Mapping[str, float]
    """What went through in the window, of the same."""
    ahead_s: Mapping[str, float]
    """The most that requests were ahead of the limit since the start, in seconds of it: at
    `BURST_S` they are refused."""
    refused: float
    """Share of 429s among all requests of the window."""
    more: Mapping[str, Any]


def _figures(name: str, used: Used) -> list[Figure]:
    least = min(used.shares.values())
    return [
        Figure(f"share of a rate limit used, {name}", least, USED_AT_LEAST, at_most=False),
        Figure(f"share of 429s, {name}", used.refused, REFUSED_AT_MOST, at_most=True),
    ]


def _facts(name: str, used: Used) -> dict[str, Any]:
    shares = ", ".join(
        f"{KIND[tier]} {share:.3f} (let through {used.let_through[tier]:.3f}, "
        f"ahead by {used.ahead_s[tier]:.1f} s at most)"
        for tier, share in used.shares.items()
    )
    more = "".join(f", {what} {value}" for what, value in used.more.items())
    return {f"{name}:": f"{shares}, 429s {percent(used.refused, 2)}{more};"}


def _by_rung(home: House, window_s: float) -> tuple[Used, RunRef]:
    """A backlog on every tier at once, larger than what the limits let through."""
    home.wait_for(_handed_in(home, "warm-up", WARM_UP, 0), within_s=120)
    enough = round(len(LIMITS) * RATE_S * 1.3 * (WARM_S + window_s))
    before, busy = _taken(home), machine()
    run = _handed_in(home, "measured", enough, WARM_UP)
    while not all(_since(before, _taken(home), tier, "requests") for tier in LIMITS):
        time.sleep(0.1)
    used = _watched(home, window_s)
    refused = sum(_since(before, _taken(home), tier, "refused") for tier in LIMITS)
    changes.apply(home.engine, Actor("a benchmark"), changes.CANCEL, whole(run))
    home.wait_for(run, within_s=60)
    share = machine().busy_share_since(busy)
    more = {"429s with the ramp": refused, "machine busy": f"{share:.2f}"}
    return replace(used, more=more), run


def _handed_in(home: House, name: str, count: int, first: int) -> RunRef:
    return home.hand_in(name, count, first=first, policy="by_channel", channels=tuple(LIMITS))


def _without_rung(home: House, run: RunRef, in_flight: Mapping[str, int], window_s: float) -> Used:
    """The same calls by the SDK alone, so many at once."""
    seconds = WARM_S + window_s
    process = subprocess.Popen(
        [sys.executable, "-m", "benchmarks.plain", home.simulator_url, str(seconds + 1)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    try:
        assert process.stdin is not None, "it was asked for"
        process.stdin.write("\n".join(_lines(home, run, in_flight)))
        process.stdin.close()
        used = _watched(home, window_s)
        assert process.stdout is not None, "it was asked for"
        counts = json.loads(process.stdout.read())
    finally:
        process.kill()
        process.wait()
    return replace(used, more={"in flight": sum(in_flight.values()), **counts})


def _lines(home: House, run: RunRef, in_flight: Mapping[str, int]) -> Iterator[str]:
    yield json.dumps({str(p): prompt.system() for p, prompt in prompts_of(home).items()})
    yield json.dumps(in_flight)
    for request in requests_of(home, run):
        tier = next(tier for tier in LIMITS if tier in request["model"])
        yield json.dumps({**request, "tier": tier})


def _watched(home: House, window_s: float) -> Used:
    """Lets ramps and bursts pass, then counts for a while."""
    time.sleep(WARM_S)
    first = _taken(home)
    time.sleep(window_s)
    last = _taken(home)
    minutes = (last["at"] - first["at"]) / 60
    allowed = {tier: min(LIMITS[tier]) * minutes for tier in LIMITS}
    served, refused = (
        sum(_since(first, last, tier, what) for tier in LIMITS) for what in ("requests", "refused")
    )
    return Used(
        shares={t: 1 - _unused(first, last, t) / allowed[t] for t in LIMITS},
        let_through={t: _since(first, last, t, KIND[t]) / allowed[t] for t in LIMITS},
        ahead_s={t: last["limits"][t]["most_ahead_s"][KIND[t]] for t in LIMITS},
        refused=refused / max(served + refused, 1),
        more={},
    )


def _taken(home: House) -> dict[str, Any]:
    """The simulator's counts, and its clock in seconds."""
    with urllib.request.urlopen(f"{home.simulator_url}/_sim/stats", timeout=10) as reply:
        found: dict[str, Any] = json.load(reply)
    return found


def _since(first: Mapping[str, Any], last: Mapping[str, Any], tier: str, what: str) -> int:
    none: Mapping[str, int] = {}
    before, after = (sample["limits"].get(tier, none).get(what, 0) for sample in (first, last))
    return int(after) - int(before)


def _unused(first: Mapping[str, Any], last: Mapping[str, Any], tier: str) -> float:
    """What came in at a tier's tight limit while its bucket was full."""
    before, after = (sample["limits"][tier]["unused"][KIND[tier]] for sample in (first, last))
    return float(after - before)


def _latencies(home: House, run: RunRef) -> dict[str, float]:
    """Mean seconds of a call, by tier."""
    with home.engine.connect() as connection:
        rows = connection.execute(LATENCY, {"run": run.id})
        return {row.tier: float(row.seconds) for row in rows}


LATENCY = text("""
SELECT c.tier, avg(c.latency_ms) / 1000 AS seconds
FROM calls AS c JOIN jobs AS j ON j.id = c.job_id
WHERE j.run_id = :run AND c.state = 'done' GROUP BY 1
""")
