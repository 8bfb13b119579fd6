"""What is wrong with night runs, in sentences. Pure."""

from collections.abc import Sequence

from worker.dashboard.screens.troubles import ScreenTrouble
from worker.domain.wording import reason, span
from worker.runs.timetables import ScheduleStanding


def night_troubles(nights: Sequence[ScheduleStanding]) -> list[ScreenTrouble]:
    """Nights that are missing, failed, or that nobody will begin."""
    found = []
    for night in nights:
        name, last = night.name, night.last
        if night.late_s is not None:
            words = f"The night run {name} is {span(night.late_s)} late."
            found.append(ScreenTrouble(level="bad", words=words, help="Night runs", href="/runs"))
        elif night.unwatched:
            words = f"No scheduler is running, so the night run {name} will not begin."
            found.append(ScreenTrouble(level="warn", words=words, help="Night runs", href="/runs"))
        if last is not None and last.state == "failed":
            why = reason(last.words) or "no reason was recorded"
            words = f"The night run {name} of {last.night} failed: {why.rstrip('.')}."
            found.append(ScreenTrouble(level="bad", words=words, help="Night runs", href="/runs"))
    return found
