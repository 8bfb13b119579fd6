"""`rung doctor`: could a run start now? Each line with what mends it."""

import shutil
import sys
from collections.abc import Callable, Iterator
from dataclasses import asdict
from pathlib import Path

import click

from worker.cli.diagnosis.finding import Symptom
from worker.cli.speech.options import JSON
from worker.cli.speech.output import echo, print_json
from worker.config.loading import MEND, load_settings
from worker.config.settings import Settings
from worker.domain.text import terminal_safe
from worker.errors import ConfigurationError, RungError

LEAST_DISK_GB = 1.0


@click.command()
@JSON
@click.pass_context
def doctor(ctx: click.Context, as_json: bool) -> None:
    """Is everything reachable, migrated, priced and keyed? Exits 0 only if a run could start."""
    findings = list(examine())
    if as_json:
        print_json([asdict(finding) for finding in findings])
    else:
        for finding in findings:
            _say(finding)
    ctx.exit(next((f.exit_code for f in findings if f.ok is False), 0))


def examine() -> Iterator[Symptom]:
    """All findings, in the order in which things depend on one another."""
    yield Symptom(name="python", ok=True, words=sys.version.split()[0])
    try:
        settings = load_settings()
        yield from _configuration(settings)
    except RungError as error:
        yield _failed("configuration", error)
        return
    yield from _guarded("postgres", lambda: _postgres(settings))
    yield from _guarded("redis", lambda: _redis(settings))
    yield from _lookups(settings)
    yield from _addresses(settings)
    yield from _guarded("claude", lambda: _claude(settings))
    free = shutil.disk_usage(Path.cwd()).free / 1e9
    yield Symptom(
        name="disk", ok=True if free > LEAST_DISK_GB else None, words=f"{free:.0f} GB free"
    )


def _say(finding: Symptom) -> None:
    mark, colour = {True: ("ok  ", "green"), None: ("note", "yellow"), False: ("FAIL", "red")}[
        finding.ok
    ]
    click.echo(f"{click.style(mark, fg=colour)}  {finding.name:<14} {terminal_safe(finding.words)}")
    if finding.mend and finding.ok is not True:
        echo(f"      {'':<14} Fix: {finding.mend}")


def _failed(name: str, error: RungError) -> Symptom:
    words = " ".join(str(error).splitlines())
    return Symptom(name=name, ok=False, words=words, mend=error.mend, exit_code=error.exit_code)


def _guarded(name: str, look: Callable[[], Iterator[Symptom]]) -> Iterator[Symptom]:
    try:
        yield from look()
    except RungError as error:
        yield _failed(name, error)


def _configuration(settings: Settings) -> Iterator[Symptom]:
    from worker.claude.prompts import load_prompts
    from worker.cli.diagnosis.redis import real_key
    from worker.config.policies import check_policies, policy_named
    from worker.config.prices import unpriced_models
    from worker.runs.estimate import unreachable, unreachable_words

    if problems := check_policies(settings):
        raise ConfigurationError(problems, mend=MEND)
    load_prompts(settings.prompts.dir)
    yield Symptom(
        name="configuration", ok=True, words=f"policy {settings.policy.preset}, prompts found"
    )
    if unpriced := unpriced_models(settings):
        words = f"no price for {', '.join(unpriced)}: recorded as unpriced, outside every budget"
        yield Symptom(name="prices", ok=None, words=words, mend="add a [prices] table to rung.toml")
    else:
        yield Symptom(name="prices", ok=True, words="every model of the ladder has one")
    if found := unreachable(settings, policy_named(settings)):
        words = unreachable_words(settings, found)
        yield Symptom(
            name="cost bound",
            ok=None,
            words=words,
            mend="policy.max_cost_per_message, or tiers.*.max_tokens",
        )
    budget = settings.budget
    if budget.per_run_usd is None and budget.per_day_usd is None and real_key(settings):
        words = "none, while the key is real: nothing bounds what a run or a day may cost"
        mend = "[budget] per_run_usd and per_day_usd in rung.toml"
        yield Symptom(name="budget", ok=None, words=words, mend=mend)


def _postgres(settings: Settings) -> Iterator[Symptom]:
    from worker.cli.diagnosis.postgres import examine as look

    return look(settings)


def _redis(settings: Settings) -> Iterator[Symptom]:
    from worker.cli.diagnosis.redis import examine as look

    return look(settings)


def _lookups(settings: Settings) -> Iterator[Symptom]:
    """Those in a database: their queries are asked, for a row that has nothing."""
    from worker.lookups.queries import query_complaint

    asked = {n: query_complaint(n, one) for n, one in settings.lookups.items() if one.query}
    for words in filter(None, asked.values()):
        mend = "its database, or its query in rung.toml"
        code = ConfigurationError.exit_code
        yield Symptom(name="look-ups", ok=False, words=words, mend=mend, exit_code=code)
    if asked and not any(asked.values()):
        yield Symptom(name="look-ups", ok=True, words=f"{', '.join(asked)}: can be asked")


def _addresses(settings: Settings) -> Iterator[Symptom]:
    """Where the names of look-ups, of receivers of answers and of notices lead."""
    from worker.outbound.requests import place_complaint

    named = [(f"lookups.{n}", one.url, one.allow_private) for n, one in settings.lookups.items()]
    for name, target in settings.deliver.items():
        named.append((f"deliver.{name}", target.url.get_secret_value(), target.allow_private))
    if settings.notify.url is not None:
        allow = settings.notify.allow_private
        named.append(("notify", settings.notify.url.get_secret_value(), allow))
    for table, url, allow in named:
        if url and (words := place_complaint(table, url, allow_private=allow)) is not None:
            mend, code = "its table in rung.toml, or the name", ConfigurationError.exit_code
            yield Symptom(name="addresses", ok=False, words=words, mend=mend, exit_code=code)


def _claude(settings: Settings) -> Iterator[Symptom]:
    from worker.cli.diagnosis.claude import examine as look

    return look(settings)
