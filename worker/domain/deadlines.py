"""Will a run be done by its deadline? Its pace so far, carried on. Pure."""

from dataclasses import dataclass

from worker.domain.wording import span

TELLING_S = 60.0
"""A pace is believed after this long, or after a tenth of the time that there is."""
TELLING_SHARE = 0.1
SILENT_SHARE = 0.5
"""Of the time gone by without one finished job: then it is at risk whatever comes."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Progress:
    """Of a run with a deadline. Seconds since it was made and until its deadline."""

    ended: int
    left: int
    elapsed_s: float
    left_s: float


def risk(progress: Progress) -> str | None:
    """Why the deadline is at risk, in words; None when it is not, or cannot be told yet."""
    if not progress.left or progress.left_s <= 0:
        return None
    whole_s = progress.elapsed_s + progress.left_s
    if not progress.ended:
        if progress.elapsed_s < SILENT_SHARE * whole_s:
            return None
        return f"half of the time is over, and none of {progress.left} jobs is done"
    if progress.elapsed_s < min(TELLING_S, TELLING_SHARE * whole_s):
        return None
    needed_s = progress.left * progress.elapsed_s / progress.ended
    if needed_s <= progress.left_s:
        return None
    late = span(needed_s - progress.left_s)
    return f"at its pace so far it would be done {late} too late ({progress.left} jobs left)"
