"""Every statement at a million jobs, under statistics of other times (`tests.support.planning`).

As `tests/integration/store/test_any_statistics.py` does at 20,000: none may read more than a
hundred rows for each that it uses, nor do twenty times the work that it does when they are fresh.
"""

import time

from benchmarks.figures import Figure, Finding
from tests.support.planning import faults_of, filled_with, work_under
from tests.support.servers import database_of_its_own
from worker.store.engine import make_engine

JOBS, QUICK_JOBS = 1_000_000, 100_000


def run(*, quick: bool = False) -> Finding:
    """How many statements depend on statistics, and which."""
    with database_of_its_own("any_statistics") as url:
        return _tried(url, QUICK_JOBS if quick else JOBS)


def _tried(url: str, jobs: int) -> Finding:
    began = time.monotonic()
    engine = make_engine(url, pool_size=1)
    filled = filled_with(engine, jobs)
    filled_s, guilty = time.monotonic() - began, dict[str, str]()
    fresh = work_under(filled, "fresh", filled.tried)
    for moment in filled.moments:
        suspects = faults_of(filled, moment, filled.tried, fresh)
        guilty |= faults_of(filled, moment, suspects)
    engine.dispose()
    figure = Figure(f"statements whose plan fails at {jobs:,} jobs", len(guilty), 0, True)
    facts = {"tried": len(filled.tried), "moments": len(filled.moments), "fill s": filled_s}
    said = {name: words.splitlines()[0] for name, words in guilty.items()}
    return Finding("any_statistics", (figure,), facts | said)
