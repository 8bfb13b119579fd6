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

from benchmarks.addresses import LIVE, PLACES, POST, pages_of
from benchmarks.figures import Figure, Finding, show
from benchmarks.filled import fill
from benchmarks.services import database
from benchmarks.viewers import NO_CLAUDE, client_of, cost_of_viewers
from worker.sandbox.redis import start_redis

SMALL, LARGE, QUICK_LARGE = 10_000, 1_000_000, 100_000
ROUNDS = PLACES
ROUND_S = 1.5
"""Four ended runs, one a round: none is asked for again within the five seconds for which a
dashboard keeps what it drew of a run."""
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
    """Milliseconds of one page, read whole, or of the first event of a stream. Raises RuntimeError
    for any other answer."""
    sends = path.startswith(POST)
    path, _, body = path.removeprefix(POST).partition(" ") if sends else (path, "", "")
    began = time.perf_counter()
    headers = {"Content-Type": "application/json"} if sends else {}
    with client.stream(
        "POST" if sends else "GET", path, content=body or None, headers=headers
    ) as answer:
        if path.startswith(LIVE):
            next(line for line in answer.iter_lines() if line.startswith("event: "))
        else:
            answer.read()
        took = time.perf_counter() - began
        if answer.status_code not in (200, 303):
            raise RuntimeError(f"{path}: {answer.status_code}")
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
        environ |= {"REDIS_URL": redis.url, **NO_CLAUDE}
        yield stack.enter_context(client_of(environ, home, timeout_s=60))


@click.command()
@click.option("--jobs", type=click.IntRange(SMALL), default=LARGE, show_default=True)
def main(jobs: int) -> None:
    """The pages at a size of your choice."""
    show(compare(jobs), Console())


if __name__ == "__main__":
    main()
