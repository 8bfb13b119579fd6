"""Figures and times as people read them, on screens and in terminals."""

import datetime as dt
from collections.abc import Iterable, Mapping, Sequence
from decimal import Decimal

from models.vocabulary import JobState


def dollars(amount: Decimal | float | None) -> str:
    """Four decimals below a dollar, two above; a dash for what has no price. What costs something
    is not called nothing."""
    if amount is None:
        return "–"
    if 0 < amount < 0.00005:
        return "<$0.0001"
    if amount < 0:
        return f"-{dollars(-amount)}"
    return f"${amount:,.4f}" if amount and amount < 1 else f"${amount:,.2f}"


def count(number: float | None) -> str:
    """`12,345`; a dash for what is not known."""
    return "–" if number is None else f"{number:,.0f}"


def percent(share: float | Decimal | None, digits: int = 0, sign: str = "") -> str:
    """`42 %` of 0.42, `2.5 %` of 0.025 to one digit. What is not nothing is not called 0 %, nor
    what is not all 100 %. With `sign` "+" it is by how much one thing exceeds another: `+3 %`."""
    if share is None:
        return "–"
    parts, least = float(share) * 100, 10.0**-digits
    if sign:
        return f"{parts:{sign}.{digits}f} %"
    if 0 < parts < least:
        return f"<{least:.{digits}f} %"
    return f"{min(parts, 100 - least) if parts < 100 else parts:.{digits}f} %"


def span(seconds: float | None) -> str:
    """A length of time, to two figures: `0.4 s`, `52 s`, `3 min`, `2 h 10 min`, `3 d`."""
    if seconds is None:
        return "–"
    seconds = max(float(seconds), 0.0)
    if seconds < 10:
        return f"{seconds:.1f} s"
    if seconds < 90:
        return f"{seconds:.0f} s"
    minutes = round(seconds / 60)
    if minutes < 60:
        return f"{minutes} min"
    hours, rest = divmod(minutes, 60)
    if hours < 36:
        return f"{hours} h {rest} min" if rest else f"{hours} h"
    return f"{round(hours / 24)} d"


def ago(moment: dt.datetime | None, now: dt.datetime | None = None) -> str:
    """`just now`, `9 s ago`, `3 min ago`, counted from `now` or from this moment."""
    if moment is None:
        return "–"
    seconds = ((now or dt.datetime.now(dt.UTC)) - moment).total_seconds()
    if seconds < 1:
        return "just now"
    return f"{f'{seconds:.0f} s' if seconds < 10 else span(seconds)} ago"


def clock(moment: dt.datetime | None, now: dt.datetime | None = None) -> str:
    """`14:32` of today, with the day otherwise. UTC."""
    if moment is None:
        return "–"
    return _written(moment, now, "%H:%M")


def second(moment: dt.datetime | None, now: dt.datetime | None = None) -> str:
    """The same to the second: `14:32:05` of today, `24 Nov 2026 14:32:05` otherwise. UTC."""
    return "–" if moment is None else _written(moment, now, "%H:%M:%S")


def date(moment: dt.datetime) -> str:
    """`24 Nov 2026`. UTC."""
    return moment.astimezone(dt.UTC).strftime("%d %b %Y")


def _written(moment: dt.datetime, now: dt.datetime | None, form: str) -> str:
    day, time = date(moment), moment.astimezone(dt.UTC).strftime(form)
    return time if now is not None and day == date(now) else f"{day} {time}"


def deed(action: str) -> str:
    """What somebody did, as the audit shows it: `verdict: accepted` of `review:accept`."""
    kind, _, verdict = action.partition(":")
    if kind != "review":
        return reason(action)
    return "verdict taken back" if verdict == "undo" else f"verdict: {VERDICT_WORDS[verdict]}"


def reason(word: str | None) -> str:
    """The record's word for why, as words: `low_confidence` is `low confidence`."""
    return (word or "").replace("_", " ")


STATE_WORDS = {
    "queued": "not yet routed",
    "routed": "waiting or in flight",
    "submitted": "in batches",
    "review": "for a person",
}
"""States of a job whose word on screens is another one than in the record."""
AT_A_TIER = {"routed": "waiting for", "submitted": "in a batch of"}
"""Of one job whose tier is known, before its tier."""


RUN_STATE_WORDS = {"active": "under way"}
"""States of a run whose word on screens is another one."""


OUTCOME_WORDS = {
    "started": "under way",
    "rejected": "not good enough",
    "truncated": "cut off",
    "malformed": "not readable",
    "deferred": "put off",
    "superseded": "overtaken",
    "withheld": "not asked",
}
"""Outcomes of an attempt whose word on screens is another one than in the record."""


VERDICT_WORDS = {"accept": "accepted", "edit": "edited", "reject": "rejected"}
CERTIFICATE_WORDS = {"valid": "holds", "amber": "in doubt", "void": "void"}


FAULT_WORDS = {
    "ConnectError": "no connection",
    "ConnectTimeout": "no connection in time",
    "TimeoutError": "no answer in time",
    "ReadTimeout": "no answer in time",
    "ReadError": "the connection broke",
    "WriteError": "the connection broke",
    "RemoteProtocolError": "the connection broke",
}
"""Kinds of errors on the way to a receiver, as people say them."""


def fault(kind: str) -> str:
    """What went wrong on the way to a receiver; what it said itself (`HTTP 500`) as it is."""
    return FAULT_WORDS.get(kind, kind)


def state_word(word: str | None, tier: str | None = None) -> str:
    """A job's state, as every screen says it; of one at a tier `waiting for opus`, `in a batch of
    sonnet`."""
    if tier and word in AT_A_TIER:
        return f"{AT_A_TIER[word]} {tier}"
    return STATE_WORDS.get(word or "", reason(word))


def run_state_word(word: str) -> str:
    """A run's state, as every screen says it."""
    return RUN_STATE_WORDS.get(word, reason(word))


def jobs_words(by_state: Mapping[str, int], decided: int = 0) -> list[str]:
    """`12 answered`, `3 for a person`: jobs by state, of which people have given a verdict on
    `decided`."""
    left = {**by_state, "review": by_state.get("review", 0) - decided}
    said = [(left.get(state, 0), state_word(state)) for state in JobState]
    after = [*JobState].index(JobState.REVIEW) + 1
    said.insert(after, (decided, "decided by people"))
    return [f"{jobs:,} {words}" for jobs, words in said if jobs]


def certificate_word(state: str) -> str:
    """How a certificate stands, as every screen says it."""
    return CERTIFICATE_WORDS[state]


def outcome_word(word: str | None) -> str:
    """An attempt's outcome, as every screen says it."""
    return OUTCOME_WORDS.get(word or "", reason(word))


def said_of(name: str, words: str) -> str:
    """`day is late: …`, `day has spent …`, and `day: not done before …` of words that go on
    no name."""
    verb = " is" if words.startswith(("late:", "stopped ", "held back ", "paused")) else ":"
    return f"{name}{'' if words.startswith('has ') else verb} {words}"


def plural(number: int, one: str, many: str | None = None) -> str:
    """`1 run`, `2 runs`."""
    return f"{number:,} {one if number == 1 else many or one + 's'}"


def waiting(number: int, one: str = "message") -> str:
    """`1 message waits`, `672 messages wait`."""
    return f"{plural(number, one)} wait{'s' if number == 1 else ''}"


def listed(names: Sequence[str]) -> str:
    """`haiku`, `haiku and opus`, `haiku, sonnet and opus`."""
    if len(names) < 2:
        return "".join(names)
    return f"{', '.join(names[:-1])} and {names[-1]}"


def nearest_name(name: str, known: Iterable[str]) -> str | None:
    """What a name that nobody knows may have been meant for, where one is near."""
    import difflib

    return next(iter(difflib.get_close_matches(name, list(known), n=1)), None)


def did_you_mean(name: str, known: Iterable[str]) -> str:
    """The end of a sentence about a name that nobody knows: the nearest one, where one is near."""
    near = nearest_name(name, known)
    return f"; did you mean {near}?" if near is not None else "."
