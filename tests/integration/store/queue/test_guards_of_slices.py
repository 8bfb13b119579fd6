"""Which ready jobs go into the next slices of the batch lane."""

from tests.support.near_misses import Rows
from worker.store.queue.slices import Gathered, ready

WAITED = "now() - interval '2 min'"


def test_full_slices_go_and_small_ones_when_somebody_has_waited(rows: Rows) -> None:
    # given
    first, second = rows.run(lane="batch"), rows.run(lane="batch")
    urgent = rows.run(lane="batch", deadline="now() + interval '1 day'")

    def wait(run: int, tier: str, jobs: int, since: str = "now()") -> list[int]:
        known = {"lane": "batch", "tier": tier, "available_at": since}
        return [rows.routed(run, **known) for _ in range(jobs)]

    haiku = wait(first, "haiku", 2) + wait(second, "haiku", 2)
    wait(first, "sonnet", 2)
    opus = wait(first, "opus", 1, since=WAITED)
    alone = wait(urgent, "haiku", 1, since=WAITED)
    # when
    found = ready(rows.connection, ["haiku", "sonnet", "opus"], 3, 60.0)
    # then
    assert sorted(found, key=lambda one: one.ids) == [
        Gathered("haiku", haiku[:3]), Gathered("opus", opus), Gathered("haiku", alone)
    ]  # fmt: skip
