"""`rung config try`: what would be done with a message, without a call."""

import datetime as dt
from dataclasses import replace
from pathlib import Path
from typing import Any

import click

from models.vocabulary import Lane, Stage
from worker.cli.speech.completion import POLICY
from worker.cli.speech.output import echo, print_json
from worker.config.settings import Settings
from worker.domain.claimed import Candidate, Claimed, Plan, Question, Withheld
from worker.domain.context import of_row
from worker.domain.first_tier import Decided, critical_by
from worker.domain.messages import MessageText
from worker.domain.policy import DIFFICULTIES, Policy
from worker.domain.policy_documents import version_of
from worker.domain.wording import dollars
from worker.errors import UsageError
from worker.intake.named_files import unreadable

MOST_CHARS = 200_000


@click.command("try", short_help="What would follow for a message, without a call.")
@click.argument("message")
@click.option("--policy", help="Preset or policy of rung.toml.", shell_complete=POLICY)
@click.option("--subject", help="Of the message.")
@click.option("--channel", help="Where it came in: email, chat.")
@click.option("--language", help="Of the message: en, de.")
@click.option("--customer", help="The customer's id.")
@click.option("--column", "columns", multiple=True, metavar="NAME=VALUE", help="Of the row.")
@click.option("--tier", help="Show the request of this tier, rather than of the first.")
@click.option("--json", "as_json", is_flag=True, help="JSON on stdout, with the requests.")
def try_message(message: str, **options: Any) -> None:
    """What would follow for MESSAGE, words or a file: rule, tier, prompt, context, request.

    Its policy's look-ups are asked; nothing is sent to Claude, and nothing stored.
    """
    from worker.claude.planner import Planner
    from worker.claude.prompts import prompts_of
    from worker.cli.trial_context import context_of
    from worker.config.loading import load_settings
    from worker.config.policies import policy_named

    settings = load_settings()
    policy = policy_named(settings, options["policy"])
    planner = Planner.of(settings, prompts_of(settings, policy))
    given = _message(message, options)
    start = planner(_candidate(policy, given, Stage.ROUTE, None))
    tier = options["tier"] or _first_tier(policy, start)
    if tier not in policy.ladder:
        names = ", ".join(policy.ladder)
        raise UsageError(f"{tier!r} is no tier of {policy.name}.", mend=f"use one of: {names}")
    shown, said = context_of(settings, policy, given)
    answering = replace(_candidate(policy, given, Stage.ANSWER, tier), context=shown)
    found = {
        "policy": policy.name,
        "policy_version": version_of(policy),
        "critical_by": critical_by(policy, given),
        **_started(policy, start),
        "requests": [
            _request(planner, candidate)
            for candidate in (
                *([_candidate(policy, given, Stage.ROUTE, None)] if _asks(start) else []),
                answering,
            )
        ],
        "shown": [{"id": piece.id, "text": piece.text} for piece in shown.pieces],
        "notes": said,
    }
    if options["as_json"]:
        print_json(found)
        return
    for line in _words(settings, found):
        echo(line)


def _message(words: str, options: dict[str, Any]) -> MessageText:
    """Of a file that is called so, or else the words themselves. Raises UsageError."""
    path = Path(words)
    try:
        body = path.read_text("utf-8") if len(words) < 4_096 and path.is_file() else words
    except UnicodeDecodeError:
        raise UsageError(f"{path} is not UTF-8.", mend="save it as UTF-8") from None
    except OSError as error:
        raise unreadable(path, error) from None
    if not body.strip() or len(body) > MOST_CHARS:
        raise UsageError(f"A message has 1 to {MOST_CHARS:,} characters.")
    pairs = [column.partition("=") for column in options["columns"]]
    if astray := [name for name, equals, _ in pairs if not equals]:
        raise UsageError(f"--column {astray[0]!r} is not NAME=VALUE.")
    return MessageText(
        body=body.strip(),
        subject=options["subject"],
        channel=options["channel"],
        language=options["language"],
        customer_id=options["customer"],
        attributes={name: value for name, _, value in pairs},
    )


def _candidate(policy: Policy, message: MessageText, stage: Stage, tier: str | None) -> Candidate:
    """A job as a worker would claim it for the first time."""
    return Candidate(
        job_id=0,
        run_id=0,
        fence=0,
        stage=stage,
        lane=Lane.REALTIME,
        tier=tier,
        remembered=None,
        failures=0,
        deferrals=0,
        message=message,
        policy=policy,
        policy_version=version_of(policy),
        history=(),
        available_at=dt.datetime.now(dt.UTC),
        context=of_row(policy.context, message),
    )


def _asks(start: Plan) -> bool:
    return isinstance(start, Question)


def _first_tier(policy: Policy, start: Plan) -> str:
    """The tier that answers, where a classification decides: the one for a simple message."""
    return start.tier if isinstance(start, Decided) else policy.tier_for(DIFFICULTIES[0])


def _started(policy: Policy, start: Plan) -> dict[str, Any]:
    if isinstance(start, Decided):
        return {"rule": start.rule, "tier": start.tier, "classified_to": None}
    labels = {label: policy.tier_for(label) for label in DIFFICULTIES}
    return {"rule": None, "tier": None, "classified_to": labels}


def _request(planner: Any, candidate: Candidate) -> dict[str, Any]:
    question: Plan = planner(candidate)
    if isinstance(question, Withheld):
        return {"purpose": "withheld", "tier": question.tier, "worst_usd": question.worst}
    assert isinstance(question, Question), "what is not asked was not to be shown"
    ask = planner.ask(Claimed(candidate, question), question)
    return {
        "purpose": question.purpose,
        "tier": question.tier,
        "model": question.model,
        "prompt_version": question.prompt_version,
        "prompt_tokens": planner.prompt_of(candidate, question.purpose).tokens,
        "worst_usd": question.worst_cost,
        "parameters": ask.parameters(),
    }


def _words(settings: Settings, found: dict[str, Any]) -> list[str]:
    lines = [f"policy    {found['policy']} {found['policy_version']}"]
    if found["critical_by"]:
        lines.append(f"critical  by the rule {found['critical_by']!r}")
    if found["tier"]:
        why = f"by the rule {found['rule']!r}" if found["rule"] else "as the policy says"
        lines.append(f"start     {found['tier']}, {why}; it is not classified")
    else:
        labels = ", ".join(f"{n} → {tier}" for n, tier in found["classified_to"].items())
        lines.append(f"start     no rule decides: classified, {labels}")
    for request in found["requests"]:
        if request["purpose"] == "withheld":
            worst = dollars(request["worst_usd"])
            lines.append(f"withheld  {request['tier']} could cost {worst}, more than a message may")
            continue
        prompt = f"{request['prompt_version']}, about {request['prompt_tokens']:,} tokens"
        lines.append(
            f"{request['purpose']:<10}{request['model']} ({request['tier']}), prompt {prompt},"
            f" at most {dollars(request['worst_usd'])}"
        )
    where = settings.prompts.dir or "those of the example company"
    lines.append(f"prompts   {where}")
    lines += [f"shown     {', '.join(one['id'] for one in found['shown'])}"] * bool(found["shown"])
    lines += [f"note      {words}" for words in found["notes"]]
    if "parameters" not in (last := found["requests"][-1]):
        return lines
    said = last["parameters"]["messages"][0]["content"]
    return [*lines, "", "It would be asked:", "", str(said)]
