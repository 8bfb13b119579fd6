"""A receipt for a person: what was decided, why, by whom, for how much and in what time. The story
comes first, then message and reply, then how it went; hashes only when they are asked for.

Every attempt is a block of labelled lines, so that it reads the same at 80 columns and at 120.
"""

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from worker.cli.speech.output import SIMULATED, console
from worker.dashboard.screens import story
from worker.domain.receipt import Receipt, ReceiptAttempt, ReceiptCall
from worker.domain.text import terminal_safe
from worker.domain.wording import reason, second, state_word

if TYPE_CHECKING:
    from rich.console import Console

LABEL_WIDTH = 12
Line = tuple[str, str]
"""A label and what it says."""


def print_receipt(found: Receipt, with_text: bool, *, full: bool = False) -> None:
    """The receipt on stdout; `full` with the versions of everything and with prices."""
    from rich.text import Text

    out = console()
    name = f"{found.run}/{terminal_safe(found.external_id)}"
    out.print(Text(f"job {found.job}  {name}  {state_word(found.state)}", style="bold"))
    _print_lines(out, _head(found, with_text=with_text, full=full))
    for attempt in found.attempts:
        out.print()
        out.print(Text(_headline(attempt), style="cyan"))
        _print_lines(out, _lines(attempt, with_text=with_text, full=full))
    out.print()
    _print_lines(out, _foot(found))
    if found.simulated:
        out.print(SIMULATED, style="yellow")


def why_it_stopped(found: Receipt) -> str:
    """The last word on a job, in a sentence without a full stop."""
    result, last = found.result, found.attempts[-1] if found.attempts else None
    if result is None or last is None:
        if found.state == "review":
            return f"a person must look, and there is no best effort: {found.reason}"
        return found.reason or f"no result yet: {state_word(found.state, found.tier)}"
    source = f"attempt {result.fence}, {result.tier} ({result.model})"
    if found.state == "review" and found.reviews:
        latest = found.reviews[-1]
        return f"best effort of {source}; {latest.reviewer}'s verdict: {latest.verdict}"
    if not result.accepted:
        return f"best effort of {source}, waiting for a person: {found.reason}"
    if last.threshold is None or last.confidence is None:
        return f"accepted from {source}: every validator passed"
    confidence, threshold = _number(last.confidence), _number(last.threshold)
    held = f", under certificate {last.certificate_id}" if last.certificate_id else ""
    return (
        f"accepted from {source}: every validator passed, confidence {confidence} ≥ {threshold}"
        + held
    )


def _print_lines(out: "Console", lines: Iterator[Line]) -> None:
    from rich.table import Table
    from rich.text import Text

    table = Table.grid(padding=(0, 1, 0, 0))
    table.add_column(min_width=LABEL_WIDTH, no_wrap=True, style="dim")
    table.add_column(overflow="fold")
    for label, words in lines:
        table.add_row(f"  {label}", Text(terminal_safe(words)))
    out.print(table)


def _head(found: Receipt, *, with_text: bool, full: bool) -> Iterator[Line]:
    yield "why", story.headline(found)
    if with_text:
        if found.erased_at is not None:
            yield "message", f"(erased, with what was answered, {second(found.erased_at)})"
        else:
            yield "message", "\n".join(filter(None, (found.subject, found.body)))
            yield from _replies(found)
    moved = (
        ", left the batch lane for the deadline"
        if found.lane == "realtime" and found.run_lane == "batch"
        else ""
    )
    version = f" {found.policy_version}" if full else ""
    yield "policy", f"{found.policy_name}{version}, lane {found.lane}{moved}"
    if full:
        uses = found.policy["accept"]["validators"]
        named = ", ".join(f"{use['name']} ({use['severity']})" for use in uses)
        yield "validators", named or "none"
    if found.critical_by:
        yield "critical", f"by rule: {found.critical_by}"


def _replies(found: Receipt) -> Iterator[Line]:
    """What was answered, what it stands on, and what a person sent instead."""
    if found.result is not None:
        yield "reply", found.result.reply or ""
        if sources := found.result.fields.get("sources"):
            yield "stands on", ", ".join(map(str, sources)) if isinstance(sources, list) else ""
    for review in found.reviews:
        if review.reply:
            yield "sent", review.reply


def _headline(attempt: ReceiptAttempt) -> str:
    where = f"{attempt.fence}. {attempt.stage}"
    if attempt.model is None:
        return f"{where}: nobody was asked"
    return f"{where}: {attempt.tier or ''} ({attempt.model})"


def _lines(attempt: ReceiptAttempt, *, with_text: bool, full: bool) -> Iterator[Line]:
    yield from _decision(attempt, full=full)
    for finding in attempt.findings or []:
        yield finding["severity"], f"{finding['validator']}: {finding['finding']}"
    for piece in attempt.context:
        version = f" (version {piece.version})" if piece.version else ""
        yield "shown", f"{piece.id}{version}: {piece.text}"
        if piece.why_empty:
            yield "look-up", f"{piece.id} {piece.why_empty}"
    for call in attempt.calls:
        yield from _call_lines(call, with_text=with_text, full=full)
    versions = (
        ("prompt", attempt.prompt_version),
        ("knowledge", attempt.knowledge_version),
        ("schema", attempt.schema_version),
        ("effort", attempt.effort or (attempt.model and "the model's own")),
        ("at most", attempt.max_tokens and f"{attempt.max_tokens} tokens"),
    )
    if attempt.pages:
        yield "pages", attempt.pages
    if attempt.model and full:
        yield "asked", ", ".join(f"{name} {value}" for name, value in versions if value)
    called = sum(call.latency_ms or 0 for call in attempt.calls) / 1_000
    took = f"took {attempt.took_s:.2f} s" if attempt.took_s is not None else "still open"
    calling = f" ({called:.2f} s calling)" if attempt.calls else ""
    yield "time", f"waited {attempt.waited_s:.2f} s, {took}{calling}"


def _decision(attempt: ReceiptAttempt, *, full: bool) -> Iterator[Line]:
    because = f" because {', '.join(attempt.reasons)}" if attempt.reasons else ""
    recorded = f"{attempt.outcome} → {attempt.decision or 'open'}{because}"
    yield "decision", recorded if full else story.outcome(attempt)
    if attempt.rule:
        yield "rule", attempt.rule
    elif attempt.stage == "route" and attempt.model is None:
        yield "start", "where the policy starts everything"
    if attempt.difficulty and full:
        yield "label", attempt.difficulty
    if attempt.answer_fence:
        words = f"checks the answer of attempt {attempt.answer_fence}, which was paid for there"
        yield "kept", words
    if attempt.threshold is not None:
        said = attempt.confidence
        how = "not asked for" if _was_not_asked(attempt) else "missing or unreadable, so LOW"
        value = _number(said) if said is not None else how
        yield "confidence", f"{value}, against {_number(attempt.threshold)}"
    if attempt.certificate_id is not None:
        standard = attempt.standard
        asked = _number(standard) if standard is not None else "none, for it was void"
        words = f"score {_number(attempt.score)}, against {asked}"
        yield f"certificate {attempt.certificate_id}", words
    if step := attempt.escalation:
        more = f" ({step.detail})" if step.detail not in (None, step.reason) else ""
        why = f"{step.reason}{more}" if full else reason(f"{step.reason}{more}")
        yield "escalated", f"{step.from_tier} → {step.to_tier}: {why}"


def _was_not_asked(attempt: ReceiptAttempt) -> bool:
    """A separate check is not asked for once a validator has rejected the answer."""
    return "low_confidence" not in attempt.reasons


def _call_lines(call: ReceiptCall, *, with_text: bool, full: bool) -> Iterator[Line]:
    written = call.cache_write_5m_tokens + call.cache_write_1h_tokens
    total = call.input_tokens + call.cache_read_tokens + written
    yield (
        call.purpose,
        f"{call.state}, {call.stop_reason or call.error or 'nothing said'}:"
        f" {total:,} tokens in ({call.cache_read_tokens:,} from the cache, {written:,} into it),"
        f" {call.output_tokens:,} out, {call.latency_ms or 0:,} ms",
    )
    if call.shared > 1:
        yield "", f"its share of a request that served {call.shared} messages"
    yield "cost", exact(call.cost) + (_rates(call) if full or call.cost is None else "")
    if with_text and full and call.output:
        yield "said", call.output


def _rates(call: ReceiptCall) -> str:
    rates = call.price
    if not rates:
        return "" if call.cost is not None else ": the model has no price"
    hour = call.cache_write_1h_tokens > 0
    write = rates["cache_write_1h" if hour else "cache_write_5m"]
    return (
        f" at ${rates['input']}/${rates['output']} a million tokens in/out, cache read"
        f" ${rates['cache_read']}, written ${write}{' for an hour' if hour else ''}"
    )


def _foot(found: Receipt) -> Iterator[Line]:
    yield "ended", why_it_stopped(found)
    for review in found.reviews:
        words = f"{review.verdict} by {review.reviewer}"
        yield "verdict", words + (f": {review.reason}" if review.reason else "")
    yield "total", exact(found.total_usd)
    saved, hurried = found.lanes
    if saved:
        yield "batches", f"saved {exact(saved)}"
    if hurried:
        yield "hurry", f"leaving the batch lane cost {exact(hurried)} more"


def exact(amount: Any) -> str:
    """Dollars to the millionth: a label costs less than a hundredth of a cent."""
    return "no price" if amount is None else f"${amount:,.6f}"


def _number(value: Any) -> str:
    return f"{float(value):g}"
