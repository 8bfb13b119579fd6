"""A new combination of prompt, schema and model on trial: how much of it goes, and what is said of
it. Pure."""

from worker.domain import wording

NEEDED = 5
"""Good calls that prove a combination; as many bad ones at first, and it is given up."""
SILENT_S = 60.0
"""A canary in flight for longer keeps nobody waiting: its worker may have died."""
SLICE = 5
"""Canaries in one batch: as many as prove a combination."""


def tried_words(good: int, bad: int) -> str:
    """`2 of 5 trial calls went well, 1 failed`."""
    return f"{good} of {NEEDED} trial calls went well" + (f", {bad} failed" if bad else "")


def trial_words(queue: str, good: int, bad: int, waiting: int) -> str:
    """How a trial that holds a queue back goes and what comes of it, without a full stop."""
    return (
        f"{queue} is on trial with a new prompt, schema or model: {tried_words(good, bad)};"
        f" {wording.waiting(waiting)}, and all go on once {NEEDED} went well; if they fail, Rung"
        f" pauses {queue}"
    )
