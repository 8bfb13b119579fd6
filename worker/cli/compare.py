"""`rung compare`: two policies on the same messages, what came of them, and a sentence."""

import random
from collections.abc import Callable, Sequence
from pathlib import Path
from shlex import quote
from typing import Any

import click
from sqlalchemy import Engine

from models.vocabulary import Grader, Lane
from worker.cli.exit_codes import EXIT_INTERRUPTED
from worker.cli.speech.amounts import DOLLARS
from worker.cli.speech.context import database
from worker.cli.speech.keys import pressed
from worker.cli.speech.options import JSON
from worker.cli.speech.output import print_json, talk
from worker.cli.speech.person import actor
from worker.cli.views.comparison import print_side_by_side, show_pair
from worker.cli.watch import EVERY_S
from worker.config.loading import load_settings
from worker.config.settings import Settings
from worker.domain.wording import plural
from worker.errors import UsageError
from worker.intake import read_blocks
from worker.runs.comparison import (
    MOST_SAMPLED,
    USUAL_SAMPLE,
    Compared,
    CompareRequest,
    compare_records,
    compare_run,
    read_comparison,
    sampled,
    two_runs,
)
from worker.store.actions.truths import Graded, store, undo_these
from worker.store.reading.blind_pairs import BlindPair, next_pair
from worker.store.reading.standings import standing_of
from worker.store.runs import StoredRun, find_run

KEYS = {"1": (True, False), "2": (False, True), "b": (True, True), "n": (False, False)}
HELP = "would be sent: 1 only the first · 2 only the second · b both · n neither · z undo · q quit"


@click.command()
@click.argument("where", nargs=-1, required=True)
@click.option("--policies", help="Two of them, as A,B; without it, WHERE names two runs.")
@click.option(
    "--sample",
    type=click.IntRange(1, MOST_SAMPLED),
    default=USUAL_SAMPLE,
    show_default=True,
    help="Messages, chosen by chance.",
)
@click.option(
    "--lane",
    type=click.Choice(["realtime", "batch"]),
    default="realtime",
    show_default=True,
    help="`batch` is half price.",
)
@click.option("--max-cost", type=DOLLARS, help="Dollars, for both together.")
@click.option("--judge", is_flag=True, help="Judge replies blind, by keys, before the sentence.")
@JSON
def compare(where: tuple[str, ...], policies: str | None, **options: Any) -> None:
    """Two policies (or two prompts) on the same messages: cost and outcome side by side, and what
    may be said of the difference.

    WHERE is a FILE or a RUN, of which a sample is answered twice, in two runs whose answers go to
    nobody; or two runs that `rung compare` made before.
    """
    settings = load_settings()
    with database(settings) as engine:
        names = where
        if policies is not None:
            request = CompareRequest(
                policies=_two(policies),
                sample=options["sample"],
                lane=Lane(options["lane"]),
                max_cost=options["max_cost"],
            )
            made = _begin(engine, settings, request, where)
            names = tuple(run.name for run in made.runs)
            talk(f"{plural(made.messages, 'message')} under each: {names[0]} and {names[1]}.")
            _wait(engine, names)
        elif len(where) != 2:
            raise UsageError(
                "Without --policies, name two runs.",
                mend="rung compare --policies A,B FILE, or rung compare RUN_A RUN_B",
            )
        _conclude(engine, names, judged=options["judge"], as_json=options["as_json"])


def _two(given: str) -> tuple[str, str]:
    names = [name.strip() for name in given.split(",") if name.strip()]
    if len(names) != 2 or names[0] == names[1]:
        raise UsageError(f"--policies {given!r} are not two policies.", mend="--policies A,B")
    return names[0], names[1]


def _begin(
    engine: Engine, settings: Settings, request: CompareRequest, where: Sequence[str]
) -> Compared:
    if len(where) != 1:
        raise UsageError("Compare on one file or one run.", mend="rung compare --policies A,B FILE")
    path = Path(where[0])
    if path.is_file():
        with path.open("rb") as stream:
            blocks = read_blocks(str(path), stream)
            records = sampled((one for block in blocks for one in block.records), request.sample)
        return compare_records(engine, settings, actor(), request, records)
    with engine.begin() as connection:
        run = find_run(connection, where[0])
        return compare_run(connection, settings, actor(), request, run.id)


def _wait(engine: Engine, names: Sequence[str]) -> None:
    """Until both have ended or a budget stops them. Ctrl-C leaves them going."""
    import time

    try:
        while True:
            with engine.connect() as connection:
                found = [standing_of(connection, find_run(connection, n).id) for n in names]
            if all(run.stopped for run in found):
                return
            time.sleep(EVERY_S)
    except KeyboardInterrupt:
        talk(
            f"\nBoth go on. See what came of them with: rung compare {' '.join(map(quote, names))}"
        )
        raise SystemExit(EXIT_INTERRUPTED) from None


def _conclude(engine: Engine, names: Sequence[str], *, judged: bool, as_json: bool) -> None:
    with engine.connect() as connection:
        a, b = two_runs(connection, *names)
    if judged:
        judge_pairs(engine, a, b, pressed)
    found = read_comparison(engine, a, b)
    if as_json:
        print_json(found.as_document())
    else:
        print_side_by_side(found)
        with engine.connect() as connection:
            differs = next_pair(connection, a.id, b.id, actor().name) is not None
        if differs and not (judged or found.verdicts.pairs):
            talk(f"Judge them blind, by keys: rung compare {' '.join(map(quote, names))} --judge")


def judge_pairs(engine: Engine, a: StoredRun, b: StoredRun, key: Callable[[], str]) -> int:
    """One pair after another, whose is which unsaid and changing by chance, until none is left or
    the person quits. Returns how many were judged."""
    me, judged, chance = actor(), list[BlindPair](), random.SystemRandom()
    shown, turned = None, False
    while True:
        with engine.connect() as connection:
            pair = next_pair(connection, a.id, b.id, me.name)
        if pair is None:
            before = judged or read_comparison(engine, a, b).verdicts.pairs
            what = "left to judge: all other" if before else "there to judge: all"
            talk(f"Nothing is {what} replies are the same under both.")
            break
        if pair != shown:
            shown, turned = pair, chance.random() < 0.5
            show_pair(pair, turned=turned, keys=HELP)
        said = key().lower()
        if said in KEYS:
            _give(engine, me.name, pair, KEYS[said], turned=turned)
            judged.append(pair)
        elif said == "z" and judged:
            undo_these(engine, me, judged.pop().answers)
        elif said in ("q", "\x03", "\x04", ""):
            break
        else:
            talk(HELP, fg="cyan")
    talk(f"{plural(len(judged), 'pair')} judged.")
    return len(judged)


def _give(
    engine: Engine, name: str, pair: BlindPair, said: tuple[bool, bool], *, turned: bool
) -> None:
    right = reversed(said) if turned else said
    verdicts = [Graded(*answer, one) for answer, one in zip(pair.answers, right, strict=True)]
    with engine.begin() as connection:
        store(connection, Grader.PERSON, name, verdicts)
