"""Every page and `/metrics` at 1,000,000 jobs, over the same at 10,000; and what viewers cost.

The dashboard is the real one, in a process of its own, asked over HTTP; both sizes are asked in
turns. A page's figure is the median of its answers, each from another run, job or place in the
list where there are several, so that nothing is answered from what a dashboard keeps in memory.

Viewers are 100 open streams of server-sent events while one worker drains a backlog: their cost is
the worker's CPU for a message with them, over that without, in turns.

`python -m benchmarks.screens --jobs 10000000` asks the pages alone, at ten million; it takes about
20 GB of disk.
"""

import statistics
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path

import click
import httpx2
from rich.console import Console

from benchmarks.figures import Figure, Finding, show
from benchmarks.filled import AT_WORK, ENDED_RUNS, PAUSED, fill
from benchmarks.services import database
from benchmarks.viewers import BEARER, cost_of_viewers, dashboard
from worker.config.addresses import SIMULATOR_KEY
from worker.dashboard.access.requests import HAND_OVER
from worker.dashboard.pages.jobs import SORTS
from worker.sandbox.redis import start_redis

SMALL, LARGE, QUICK_LARGE = 10_000, 1_000_000, 100_000
ROUNDS = 16
ROUND_S = 1.5
"""Four ended runs, one a round: none is asked for again within the five seconds for which a
dashboard keeps what it drew of a run."""
SORTED = tuple(SORTS)
MAX_MS, MAX_RATIO, MAX_VIEWERS = 100.0, 1.5, 1.05


def run(*, quick: bool = False) -> Finding:
    """Milliseconds and ratios."""
    pages = compare(QUICK_LARGE if quick else LARGE)
    viewers = cost_of_viewers(messages=400 if quick else 1_500)
    share = Figure(
        "worker CPU a message with 100 viewers ÷ without", viewers.ratio, MAX_VIEWERS, True
    )
    return Finding(
        "screens",
        (*pages.figures, share),
        {
            **pages.facts,
            "worker ms with viewers": viewers.with_ms,
            "worker ms without": viewers.without_ms,
            "dashboard CPU share with viewers": viewers.dashboard_with,
            "dashboard CPU share without": viewers.dashboard_without,
        },
    )


def compare(large: int) -> Finding:
    """The pages alone, at so many jobs and at `SMALL`."""
    with ExitStack() as stack:
        small_client = stack.enter_context(served(SMALL))
        large_client = stack.enter_context(served(large))
        small, big = in_turns(pages_of(SMALL), pages_of(large), small_client, large_client)
    ratios = {page: big[page] / small[page] for page in big}
    slowest, worst = max(big, key=big.__getitem__), max(ratios, key=ratios.__getitem__)
    return Finding(
        "screens",
        (
            Figure(
                f"slowest page at {large:,} jobs ({slowest})", big[slowest], MAX_MS, True, " ms"
            ),
            Figure(
                f"page at {large:,} jobs ÷ at {SMALL:,} ({worst})", ratios[worst], MAX_RATIO, True
            ),
        ),
        {**{page: f"{big[page]:.1f} ms ({ratios[page]:.2f})" for page in big}, "simulated": True},
    )


def pages_of(jobs: int) -> dict[str, Sequence[str]]:
    """Every page by name, with addresses to be asked in turn."""
    run_ids = list(ENDED_RUNS)
    done, oldest = [jobs - 17 * n for n in range(1, ROUNDS + 1)], round(0.35 * jobs) + 300
    return {
        "/": ["/"],
        "/runs": ["/runs"],
        "/runs/RUN": [f"/runs/{run}" for run in run_ids],
        "/runs/RUN at work": [f"/runs/{AT_WORK}"],
        "/runs/RUN paused": [f"/runs/{PAUSED}"],
        "/jobs": ["/jobs", f"/jobs?before={jobs // 2}"],
        "/jobs of a run": [f"/jobs?run=run{run}" for run in run_ids],
        "/jobs of the oldest run": [f"/jobs?run=run{PAUSED}"],
        "/jobs of a run, last page": [f"/jobs?run=run{run}&before={oldest}" for run in run_ids],
        "/jobs by state": ["/jobs?state=dead", "/jobs?state=review"],
        "/jobs where": ["/jobs?where=confidence+%3C+0.6+and+channel+%3D+chat"],
        "/jobs where, nothing meets it": ["/jobs?where=reason+contains+nonesuch"],
        "/jobs where, nothing of the oldest run": [
            f"/jobs?run=run{PAUSED}&where=reason+contains+nonesuch"
        ],
        "/jobs sorted": [f"/jobs?run=run{run}&sort={sort}" for run in run_ids for sort in SORTED],
        "/jobs found by id": [f"/jobs?q=run{3 + n % 4}%2Fm{n}" for n in done],
        "/jobs/JOB": [f"/jobs/{n}" for n in done],
        "/dead": ["/dead", "/dead?reason=schema"],
        "/dead of a run": [f"/dead?run={run}" for run in run_ids],
        "/review": ["/review"],
        "/review/queue": ["/review/queue"],
        "/clusters": ["/clusters"],
        "/knowledge/gaps": ["/knowledge/gaps"],
        "/runs/RUN/sample": [f"/runs/{run}/sample" for run in run_ids],
        "/runs/RUN/sample with another": [
            f"/runs/{run}/sample?with=run{3 + (run - 2) % 4}" for run in run_ids
        ],
        "/runs/RUN/frontier": [f"/runs/{run}/frontier" for run in run_ids],
        "/certificates": ["/certificates"],
        "/audits": ["/audits"],
        "/deliveries": ["/deliveries"],
        HAND_OVER: [HAND_OVER],
        "/workers": ["/workers"],
        "/audit": ["/audit"],
        "/actions/pause": ["/actions/pause?tier=haiku", "/actions/pause?tier=everything"],
        "/actions/cancel": [f"/actions/cancel?run={AT_WORK}"],
        "/actions/retry": [f"/actions/retry?run={run}" for run in run_ids],
        "/actions/priority": [f"/actions/priority?run={AT_WORK}&to=5"],
        "/actions/budget": [f"/actions/budget?run={AT_WORK}&to=2000"],
        "/metrics": ["/metrics"],
        "/api/runs": ["/api/runs"],
        "/api/runs/RUN": [f"/api/runs/run{run}" for run in run_ids],
        "/api/runs/RUN/results": [f"/api/runs/run{run}/results?limit=500" for run in run_ids],
        "/api/runs/RUN/results of review": [
            f"/api/runs/run{run}/results?limit=10&only=review" for run in run_ids
        ],
        "/api/jobs": ["/api/jobs", "/api/jobs?where=state+%3D+dead"],
        "/api/dead": ["/api/dead"],
        "/api/review": ["/api/review"],
        "/healthz": ["/healthz"],
    }


def in_turns(
    small: dict[str, Sequence[str]],
    large: dict[str, Sequence[str]],
    small_client: httpx2.Client,
    large_client: httpx2.Client,
) -> tuple[dict[str, float], dict[str, float]]:
    """Median milliseconds of every page at both sizes."""
    times: tuple[dict[str, list[float]], ...] = ({}, {})
    for number in range(ROUNDS + 1):
        began = time.monotonic()
        for name in large:
            for side, (client, pages) in enumerate(((small_client, small), (large_client, large))):
                took = one_answer(client, pages[name][number % len(pages[name])])
                # The first round warms up what a dashboard loads once.
                if number:
                    times[side].setdefault(name, []).append(took)
        time.sleep(max(ROUND_S - (time.monotonic() - began), 0))
    first, second = ({name: statistics.median(t) for name, t in side.items()} for side in times)
    return first, second


def one_answer(client: httpx2.Client, path: str) -> float:
    """Milliseconds of one page, read whole. Raises RuntimeError for any other answer."""
    began = time.perf_counter()
    answer = client.get(path)
    took = time.perf_counter() - began
    if answer.status_code not in (200, 303):
        raise RuntimeError(f"{path}: {answer.status_code} {answer.text[:200]}")
    return 1000 * took


@contextmanager
def served(jobs: int) -> Iterator[httpx2.Client]:
    """A client of a dashboard over a record of so many jobs."""
    with ExitStack() as stack:
        environ = stack.enter_context(database())
        home = Path(environ["RUNG_HOME"])
        redis = start_redis(home / "redis")
        stack.callback(redis.stop)
        fill(environ["DATABASE_URL"], jobs)
        environ |= {
            "REDIS_URL": redis.url,
            "ANTHROPIC_API_KEY": SIMULATOR_KEY,
            "ANTHROPIC_BASE_URL": "http://127.0.0.1:1",
        }
        url, _ = stack.enter_context(dashboard(environ, home))
        client = httpx2.Client(
            base_url=url, trust_env=False, timeout=60, headers={"Authorization": BEARER}
        )
        yield stack.enter_context(client)


@click.command()
@click.option("--jobs", type=click.IntRange(SMALL), default=LARGE, show_default=True)
def main(jobs: int) -> None:
    """The pages at a size of your choice."""
    show(compare(jobs), Console())


if __name__ == "__main__":
    main()
