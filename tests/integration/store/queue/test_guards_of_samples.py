"""Each condition of the statements that choose which jobs of runs are looked at."""

from itertools import pairwise

from tests.support.near_misses import Rows
from worker.store.reading import job_samples


def test_a_sample_of_a_run_is_evenly_spaced(rows: Rows) -> None:
    run, other = rows.run(), rows.run()
    rows.job(other)
    ours = list[tuple[int, int]]()
    for _ in range(10):
        message = rows.message()
        ours.append((message, rows.job(run, message)))
        rows.job(other)
    for _ in range(10):
        rows.job(other)
    low, high = ours[0][0], ours[-1][0]
    starts = [low + (high - low) * n // 4 for n in range(4)]
    wanted = [next(job for message, job in ours if message >= start) for start in starts]
    assert rows.firsts(job_samples.EVENLY, run=run, places=4, neighbours=1) == wanted
    mine = [job for _, job in ours]
    two = sorted({job for n in map(mine.index, wanted) for job in mine[n : n + 2]})
    assert sorted(rows.firsts(job_samples.EVENLY, run=run, places=4, neighbours=2)) == two


def test_of_several_runs_each_is_sampled_by_its_size(rows: Rows) -> None:
    large, small, other = rows.run(), rows.run(), rows.run()
    of_large = {rows.job(large) for _ in range(60)}
    of_small = {rows.job(small) for _ in range(20)}
    rows.job(other)
    every = job_samples.some_jobs(rows.connection, [large, small], 80)
    assert sorted(every) == sorted(of_large | of_small)
    some = job_samples.some_jobs(rows.connection, [large, small], 40)
    assert (len(of_large.intersection(some)), len(of_small.intersection(some))) == (30, 10)
    assert len(some) == 40


def test_what_the_draw_chooses_for_a_share(rows: Rows) -> None:
    audited, shadowed, other = rows.run(audit_share=0.2), rows.run(shadow_share=0.4), rows.run()
    runs = [audited, shadowed]
    jobs = [rows.answered(run) for run in runs for _ in range(20)]
    rows.job(audited, state="routed", tier="haiku")
    rows.answered(other)
    shares = [job_samples.share_to_draw(rows.connection, runs, x) for x in (0.1, 0.7, 2)]
    assert shares == [0.5, 0.7, 1]
    assert job_samples.share_to_draw(rows.connection, [audited], 0.1) == 0.25
    found = [set(job_samples.drawn_jobs(rows.connection, runs, x)) for x in (0, 0.3, 0.7, 1)]
    assert (found[0], found[-1]) == (set(), set(jobs))
    assert all(fewer < more for fewer, more in pairwise(found))
