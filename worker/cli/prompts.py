"""`rung prompts`: versions, where each is used, and what it costs."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import click

from worker.claude.prompts import prompts_of
from worker.cli.speech.context import database
from worker.cli.speech.options import JSON
from worker.cli.speech.output import SIMULATED, console, echo, print_json, talk
from worker.config.loading import load_settings
from worker.config.policies import policy_named
from worker.domain.prompts import CHARS_PER_TOKEN
from worker.domain.wording import ago, count, dollars
from worker.store.reading.prompts import PromptUse, prompt_text, prompt_uses


@click.command()
@click.argument("version", required=False)
@JSON
def prompts(version: str | None, as_json: bool) -> None:
    """Prompt versions: which policies have them now, which runs began with them, tokens, and
    dollars for a thousand calls. VERSION, or its beginning, prints what that one says.

    A prompt that is changed on disk is a new version from the next run on; a run keeps those that
    it began with.
    """
    now = _on_disk()
    with database() as engine, engine.connect() as connection:
        if version is not None:
            echo(prompt_text(connection, version))
            return
        found = prompt_uses(connection)
    if as_json:
        print_json([_document(use, now) for use in found])
        return
    _print(found, now)


@dataclass(slots=True)
class OnDisk:
    """A version as it is on disk: which of its folder's prompts it is, and for which policies."""

    part: str
    policies: list[str] = field(default_factory=list)


NOWHERE = OnDisk("")


def _on_disk() -> dict[str, OnDisk]:
    """What is on disk now, by version."""
    settings = load_settings()
    found: dict[str, OnDisk] = {}
    for name in dict.fromkeys((settings.policy.preset, *settings.policies)):
        for part, prompt in prompts_of(settings, policy_named(settings, name)).items():
            found.setdefault(prompt.version, OnDisk(str(part))).policies.append(name)
    return found


def _part(use: PromptUse, now: Mapping[str, OnDisk]) -> str:
    """What it is used for; what no run has asked with is what its file is."""
    return use.part if use.runs else now.get(use.version, NOWHERE).part or use.part


def _document(use: PromptUse, now: Mapping[str, OnDisk]) -> dict[str, Any]:
    return {
        "version": use.version,
        "prompt": _part(use, now),
        "tokens": _tokens(use),
        "in_force_for": now.get(use.version, NOWHERE).policies,
        "policies": list(use.policies),
        "runs": use.runs,
        "newest_run": use.newest_run,
        "calls": use.calls,
        "input_tokens": use.input_tokens,
        "cached_tokens": use.cached_tokens,
        "output_tokens": use.output_tokens,
        "cost_usd": use.cost,
        "per_thousand_usd": use.per_thousand,
        "simulated": use.simulated,
        "since": use.created_at,
    }


def _tokens(use: PromptUse) -> int:
    """About as many as the prompt itself has."""
    return round(use.chars / CHARS_PER_TOKEN)


def _print(found: list[PromptUse], now: Mapping[str, OnDisk]) -> None:
    from worker.cli.speech.tables import FittingTable

    table = FittingTable(
        "version", "prompt", "tokens", "now", "runs", "newest", "calls", "$ a thousand", "since",
        box=None,
    )  # fmt: skip
    for use in found:
        table.add_row(
            use.version,
            _part(use, now),
            f"{_tokens(use):,}",
            ", ".join(now.get(use.version, NOWHERE).policies),
            count(use.runs),
            use.newest_run or "",
            f"{use.calls:,}",
            dollars(use.per_thousand),
            ago(use.created_at),
        )
    console().print(table)
    if unused := set(now) - {use.version for use in found}:
        talk(f"{len(unused)} on disk that no run has begun with yet: the next one does.")
    if any(use.simulated for use in found):
        console().print(SIMULATED, style="yellow")
