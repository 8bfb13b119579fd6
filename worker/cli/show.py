"""`rung show JOB`: the receipt."""

from collections.abc import Iterator
from decimal import Decimal
from typing import Any

import click

from worker.cli.context import database
from worker.cli.output import SIMULATED, console, dollars, print_json
from worker.domain.bill import lane_effect
from worker.store.receipts import find_job, receipt
from worker.text import terminal_safe

MASK = "(hidden; --text shows it)"


@click.command()
@click.argument("job")
@click.option("--text", "with_text", is_flag=True, help="Show the message and what was answered.")
@click.option("--json", "as_json", is_flag=True, help="JSON on stdout.")
def show(job: str, with_text: bool, as_json: bool) -> None:
    """The receipt of a job: why this answer, from whom, at what cost.

    JOB is a number, RUN/EXTERNAL_ID, or an external id that only one run has.
    """
    with database() as engine, engine.connect() as connection:
        found = receipt(connection, find_job(connection, job))
    found |= lanes_of(found)
    if not with_text:
        mask(found)
    if as_json:
        print_json(found)
    else:
        _print(found, with_text)


def lanes_of(found: dict[str, Any]) -> dict[str, Decimal]:
    """What batches saved on this job, and what leaving them for the deadline cost."""
    calls = [call for attempt in found["attempts"] for call in attempt["calls"]]
    done = [(call["lane"], call["cost"] or Decimal(0)) for call in calls if call["state"] == "done"]
    saved, hurried = lane_effect(done, found["run_lane"])
    return {"batch_saved_usd": saved, "hurry_cost_usd": hurried}


def mask(found: dict[str, Any]) -> None:
    """Hides what the customer wrote, and what was written back."""
    found["subject"] = MASK if found["subject"] else None
    found["body"] = MASK
    found["metadata"] = {}
    for attempt in found["attempts"]:
        for call in attempt["calls"]:
            call["output"] = MASK if call["output"] else None
    if found["result"] is not None:
        found["result"]["reply"] = MASK
        found["result"]["fields"] = {}
    for review in found["reviews"]:
        review["reply"] = MASK if review["reply"] else None


def _print(found: dict[str, Any], with_text: bool) -> None:
    from rich.text import Text
    from rich.tree import Tree

    name = f"{found['run']}/{terminal_safe(found['external_id'])}"
    head = f"job {found['job']}  {name}  {found['state']}"
    tree = Tree(Text(head, style="bold"))
    moved = ", left the batch lane for the deadline" if found["lane"] != found["run_lane"] else ""
    policy = f"policy {found['policy_name']} {found['policy_version']}"
    tree.add(f"{policy}, lane {found['lane']}{moved}")
    tree.add(Text(f"validators: {_validators(found['policy'])}"))
    if with_text:
        tree.add(Text(f"message: {terminal_safe(found['body'])}"))
    for attempt in found["attempts"]:
        branch = tree.add(Text(_headline(attempt), style="cyan"))
        for line in _lines(attempt, with_text):
            branch.add(Text(line))
    tree.add(Text(_ending(found), style="bold"))
    if with_text and found["result"] is not None:
        tree.add(Text(f"reply: {terminal_safe(found['result']['reply'])}"))
    for review in found["reviews"]:
        tree.add(Text(f"{review['reviewer']}: {review['verdict']} {review['reason'] or ''}"))
    tree.add(f"total {dollars(found['total_usd'])}{_lane_words(found)}")
    out = console()
    out.print(tree)
    if found["simulated"]:
        out.print(SIMULATED, style="yellow")


def _lane_words(found: dict[str, Any]) -> str:
    words = ""
    if found["batch_saved_usd"]:
        words += f"; batches saved {dollars(found['batch_saved_usd'])}"
    if found["hurry_cost_usd"]:
        words += f"; leaving the batch lane cost {dollars(found['hurry_cost_usd'])} more"
    return words


def _validators(policy: dict[str, Any]) -> str:
    uses = policy["accept"]["validators"]
    return ", ".join(f"{use['name']} ({use['severity']})" for use in uses) or "none"


def _headline(attempt: dict[str, Any]) -> str:
    asked = attempt["model"] or "nobody asked"
    return f"{attempt['fence']}. {attempt['stage']} {attempt['tier'] or ''} ({asked})"


def _lines(attempt: dict[str, Any], with_text: bool) -> Iterator[str]:
    yield f"{attempt['outcome']} → {attempt['decision'] or 'open'}" + (
        f"  because {', '.join(attempt['reasons'])}" if attempt["reasons"] else ""
    )
    if attempt["rule"]:
        yield f"rule: {attempt['rule']}"
    if attempt["answer_fence"]:
        yield f"checks the answer of attempt {attempt['answer_fence']}, which was paid for there"
    if attempt["difficulty"]:
        yield f"difficulty: {attempt['difficulty']}"
    if attempt["threshold"] is not None:
        said = attempt["confidence"] if attempt["confidence"] is not None else "unreadable, so LOW"
        yield f"confidence {said} against {attempt['threshold']}"
    for finding in attempt["findings"] or []:
        yield f"{finding['severity']}: {finding['validator']}: {finding['finding']}"
    for call in attempt["calls"]:
        yield from _call_lines(call, with_text)
    if attempt["escalation"]:
        step = attempt["escalation"]
        yield f"escalated {step['from_tier']} → {step['to_tier']}: {step['reason']}"
    versions = (
        ("prompt", attempt["prompt_version"]),
        ("schema", attempt["schema_version"]),
        ("effort", attempt["effort"]),
    )
    yield "  ".join(f"{name} {value}" for name, value in versions if value) or "nothing was asked"
    took = f"{attempt['took_s']:.2f} s" if attempt["took_s"] is not None else "still open"
    yield f"waited {attempt['waited_s']:.2f} s, took {took}"


def _call_lines(call: dict[str, Any], with_text: bool) -> Iterator[str]:
    written = call["cache_write_5m_tokens"] + call["cache_write_1h_tokens"]
    total = call["input_tokens"] + call["cache_read_tokens"] + written
    words = (
        f"{call['purpose']} call: {call['state']}, {call['stop_reason'] or call['error'] or ''};"
        f" {total} tokens in ({call['cache_read_tokens']} from the cache, {written} into it),"
        f" {call['output_tokens']} out, {dollars(call['cost'])}"
    )
    yield words + (f", {call['latency_ms']} ms" if call["latency_ms"] is not None else "")
    if call["shared"] > 1:
        yield f"  its share of a request that served {call['shared']} messages"
    if call["price"]:
        rates = call["price"]
        yield (
            f"  at ${rates['input']}/${rates['output']} a million tokens in/out, cache read"
            f" ${rates['cache_read']}, written ${rates['cache_write_5m']} for five minutes and"
            f" ${rates['cache_write_1h']} for an hour"
        )
    if with_text and call["output"]:
        yield f"  said: {terminal_safe(call['output'])}"


def _ending(found: dict[str, Any]) -> str:
    result = found["result"]
    if result is None:
        return found["reason"] or f"no result: the job is {found['state']}"
    kind = "accepted" if result["accepted"] else "best effort, waiting for a person"
    return f"result from {result['tier']} ({result['model']}), attempt {result['fence']}: {kind}"
