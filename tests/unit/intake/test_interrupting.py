"""Ctrl-C ends with a sentence, whatever a driver made of it on the way."""

import io

import pytest

from models.vocabulary import Lane
from worker.config.policies import policy_named
from worker.config.settings import Settings
from worker.intake import ReadingOptions
from worker.intake.handover import Handover
from worker.intake.terms import RunTerms


class Interrupted(io.BytesIO):
    """A file during whose reading somebody presses Ctrl-C, which comes as something else."""

    def read(self, size: int | None = -1) -> bytes:
        try:
            raise KeyboardInterrupt
        except KeyboardInterrupt as error:
            raise RuntimeError("statement cancelled") from error


def test_what_comes_of_an_interrupt_is_an_interrupt() -> None:
    said: list[str] = []
    policy = policy_named(Settings(), None)
    terms = RunTerms(policy=policy, lane=Lane.REALTIME, usual_name="day")
    with pytest.raises(KeyboardInterrupt):
        Handover(terms, ReadingOptions(), None, dry=True, say=said.append).take(
            [("x", Interrupted())]
        )
    assert said == ["Nothing was taken in: rows are accepted a block at a time."]
