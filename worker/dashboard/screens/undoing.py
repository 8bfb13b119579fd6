"""What was done, in a sentence, and the address that takes it back. Pure."""

from decimal import Decimal
from urllib.parse import quote

from models.vocabulary import Lane
from worker.domain.wording import VERDICT_WORDS, dollars, plural
from worker.store.reading.deeds import AuditEntry

DONE = {
    "pause": "is paused",
    "resume": "goes on",
    "drain": "begins nothing new and runs empty",
    "overrule": "goes on, and its new prompt is trusted",
    "cancel": "is cancelled",
    "retry": "is tried again",
    "priority": "has a new priority",
    "budget": "has a new budget",
    "read text": "was read",
}
COUNTED = ("cancel", "retry")
BACK = {
    "pause": "resume",
    "drain": "resume",
    "resume": "pause",
    "overrule": "pause",
    "priority": "priority",
    "budget": "budget",
}


def said(event: AuditEntry) -> str:
    """`haiku is paused.`, `412 jobs of run monday: cancelled.`"""
    target, action = event.target, event.action
    if action in COUNTED:
        done = "cancelled" if action == "cancel" else "tried again"
        return f"{plural(event.affected, 'job')} of {target}: {done}.{_fewer(event)}"
    if action in ("priority", "budget"):
        to = _figure(action, event.detail.get("to"))
        if not _of_run(target):
            many = plural(event.affected, "job" if action == "priority" else "run")
            return f"The {action} of {many} is {to} now ({target}).{_fewer(event)}"
        return f"The {action} of {target} is {to} now."
    if action == "review:undo":
        return f"The verdict on {target} is taken back."
    if action.startswith("review:"):
        return f"Verdict on {target}: {VERDICT_WORDS[action.removeprefix('review:')]}."
    if action == "resume" and event.detail.get("lane") == Lane.REALTIME:
        return f"{target} is answered one by one from now on."
    return f"{target} {DONE.get(action, action)}."


def _figure(action: str, to: object) -> str:
    """A priority as it is, and a budget as money."""
    if to is None:
        return "without limit"
    return dollars(Decimal(str(to))) if action == "budget" else str(to)


def _fewer(event: AuditEntry) -> str:
    """What was counted and not changed, because it went on by itself meanwhile."""
    missing = (event.detail.get("counted") or 0) - event.affected
    return (
        f" {missing:,} more were counted, and had ended or moved on by then." if missing > 0 else ""
    )


def _of_run(target: str) -> bool:
    """Whether it is a whole run. A name holds no comma: `run monday, state = dead` is a filter."""
    return target.startswith("run ") and ", " not in target


def undo_address(event: AuditEntry) -> str | None:
    """Where a preview of the opposite is; None when there is no way back."""
    back = BACK.get(event.action)
    if back is None:
        return None
    target = str(event.target)
    if event.action in ("priority", "budget") and not _of_run(target):
        return None
    if not target.startswith("run "):
        return f"/actions/{back}?tier={quote(target, safe='')}"
    address = f"/actions/{back}?run={quote(target.removeprefix('run '), safe='')}"
    if back in ("priority", "budget"):
        before = event.detail.get("from")
        address += f"&to={quote('' if before is None else str(before), safe='')}"
    return address
