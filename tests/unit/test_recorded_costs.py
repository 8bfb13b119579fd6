"""What recorded jobs would have cost: looked through a few times, not once for each of them."""

from collections.abc import Iterator

from worker.config.policies import policy_named
from worker.config.settings import Settings
from worker.domain.proof.changed_decisions import RecordedAnswer
from worker.domain.proof.replayed_cost import RecordedJob
from worker.runs.forecasts import costs_under


class CountedReadings(list[RecordedJob]):
    """A record that knows how often it was gone over."""

    readings = 0

    def __iter__(self) -> Iterator[RecordedJob]:
        self.readings += 1
        return super().__iter__()


def recorded(number: int) -> RecordedJob:
    answer = RecordedAnswer(tier="haiku", fence=2, blocking=(), confidence=0.9)
    return RecordedJob(
        stratum="short",
        day=f"2026-11-{number % 20 + 1:02}",
        start="haiku",
        routing=0.001,
        answers=[answer],
        costs={2: 0.002},
    )


def test_a_long_record_is_read_as_often_as_a_short_one() -> None:
    policy = policy_named(Settings(), "ladder")
    short, long = (
        CountedReadings(map(recorded, range(3))),
        CountedReadings(map(recorded, range(90))),
    )
    costs = costs_under(policy, long)
    costs_under(policy, short)
    assert long.readings == short.readings
    assert {round(one.first, 6) for one in costs} == {0.003}
    assert {one.person for one in costs} == {0.0}
