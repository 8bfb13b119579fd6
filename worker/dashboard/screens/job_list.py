"""What a list of jobs is asked for, its addresses, and what may be done with what it shows."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields, replace
from decimal import Decimal
from urllib.parse import urlencode

from models.vocabulary import OPEN_STATES, JobState
from worker.domain.filter_parsing import parse
from worker.domain.filters import And, Comparison, Node, Op, show
from worker.domain.text import is_blank
from worker.domain.wording import count
from worker.store.reading.listed_jobs import ListedJob, Page, Sort

MAX_WHERE = 2_000
EXACTLY = ("state", "tier", "customer", "language")
VERBS = {
    "retry": "Retry those that are dead",
    "cancel": "Cancel those that are open",
    "priority": "Their priority",
    "budget": "Budget of their runs",
}
TICKED = {"retry": "Retry", "cancel": "Cancel", "priority": "Priority"}
"""What may be done with jobs that were ticked, each with the word on its button."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """What the address asks for. Each is optional, and they all must hold."""

    run: str = ""
    state: str = ""
    tier: str = ""
    climbed: str = ""
    customer: str = ""
    language: str = ""
    subject: str = ""
    where: str = ""
    sort: str = ""
    text: str = ""

    @property
    def node(self) -> Node | None:
        """As a filter, without the run. Raises FilterError."""
        parts: list[Node] = [
            Comparison(field=name, op=Op.EQ, values=(value,))
            for name in EXACTLY
            if (value := getattr(self, name))
        ]
        if self.subject:
            parts.append(Comparison(field="subject", op=Op.CONTAINS, values=(self.subject,)))
        if self.climbed:
            parts.append(Comparison(field="escalations", op=Op.GE, values=(Decimal(1),)))
        if not is_blank(self.where):
            parts.append(parse(self.where))
        if len(parts) < 2:
            return parts[0] if parts else None
        return And(tuple(parts))

    @property
    def order(self) -> Sort:
        """How it is sorted."""
        return Sort(self.sort)

    def address(self, **more: int | None) -> str:
        """Of this list, or of another page of it: `before` and `shown`."""
        given = {name.name: getattr(self, name.name) for name in fields(self)} | more
        chosen = {name: str(value) for name, value in given.items() if value}
        return "/jobs" + (f"?{urlencode(chosen)}" if chosen else "")

    def sorted_by(self, sort: str) -> str:
        """The address of the same in another order."""
        return replace(self, sort=sort).address()


def wanted_of(given: Mapping[str, str], *, may_read: bool) -> Wanted:
    """What an address asks for, as far as it makes sense and the visitor may have it."""
    found = {one.name: given.get(one.name, "").strip()[:MAX_WHERE] for one in fields(Wanted)}
    if found["sort"] not in list(Sort):
        found["sort"] = ""
    if found["state"] not in list(JobState):
        found["state"] = ""
    if not may_read:
        found |= {"text": "", "subject": ""}
    return Wanted(**found)


def older_of(wanted: Wanted, found: Page, before: int | None, shown: int) -> tuple[str, str] | None:
    """The address of the next page and the word on its button; `shown` jobs were shown before this
    one."""
    seen = shown + len(found.jobs)
    if wanted.sort and found.matched is not None and seen < found.matched and found.jobs:
        return wanted.address(before=before, shown=seen), "More"
    if found.next is None:
        return None
    address = wanted.address(before=found.next, shown=0 if wanted.sort else seen)
    return address, "Look further back" if found.looked_at else "Older"


def which(wanted: Wanted, found: Page, shown: int, total: int) -> str:
    """`1 to 50 of 412`, as far as it is known how many there are. `total` is what the counters say
    of the run, or of all."""
    first, last = shown + 1, shown + len(found.jobs)
    if found.matched is None:
        return f"{count(first)} to {count(last)} of {count(total)}"
    seen = found.matched if wanted.sort else shown + found.matched
    words = f"{count(first)} to {count(last)} of {count(seen)}"
    if found.whole:
        return words
    if wanted.node is None:
        return f"{words} that were sorted, the newest of {count(total)}"
    return f"{words} or more"


def verbs_of(found: Page) -> list[tuple[str, str]]:
    """Actions on all that the filter meets, with their words: those that fit something."""
    fits = {"retry": found.dead, "cancel": found.unfinished}
    fits |= {"priority": found.unfinished, "budget": found.unfinished}
    return [(name, VERBS[name]) for name in VERBS if fits[name] or not found.whole]


def fitting(state: str) -> str:
    """Actions that fit a job in this state, as words apart."""
    if state in OPEN_STATES:
        return "cancel priority"
    return "retry" if state == JobState.DEAD else ""


def ticks_of(jobs: Sequence[ListedJob]) -> list[tuple[str, str]]:
    """Actions on single jobs that fit any of these, with their words."""
    fits = {verb for job in jobs for verb in fitting(job.state).split()}
    return [(name, words) for name, words in TICKED.items() if name in fits]


def chosen(node: Node, run: str) -> dict[str, str]:
    """The same set, as the addresses of actions name it."""
    return {"where": show(node), **({"run": run} if run else {})}


def ticked(jobs: Sequence[int]) -> str:
    """A filter that these jobs meet, and no others."""
    numbers = tuple(Decimal(job) for job in dict.fromkeys(jobs))
    return show(Comparison(field="job", op=Op.IN if len(numbers) > 1 else Op.EQ, values=numbers))


def reprocess(node: Node, run: str, found: Page) -> str | None:
    """The command that answers these jobs again in a new run; None where it would be refused, for
    some are open."""
    if any(one.state in OPEN_STATES for one in found.jobs):
        return None
    whole: Node = And((Comparison(field="run", op=Op.EQ, values=(run,)), node)) if run else node
    quoted = show(whole).replace("'", "'\\''")
    return f"rung reprocess --where '{quoted}' --dry-run"
