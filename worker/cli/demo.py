"""`rung demo`: 1,000 real messages, a simulated Claude, the ladder live, and the bill."""

import os
import time
from dataclasses import replace
from pathlib import Path
from shlex import quote

import click
from sqlalchemy import Engine

from worker.claude.prompts import default_directory, prompts_of
from worker.cli.demo_facts import MADE_UP, checking_facts, say_facts, script_facts
from worker.cli.demo_shop import SHOP, shop_environ
from worker.cli.speech.output import talk
from worker.cli.up import Work, working
from worker.cli.views.ladder import LadderView
from worker.cli.views.live import follow
from worker.config.loading import load_settings
from worker.config.policies import policy_named
from worker.config.settings import Settings
from worker.domain.policy import Policy
from worker.errors import RungError
from worker.intake import read_blocks
from worker.store.new_runs import NewRun, create_run
from worker.store.queue.chunks import add_all
from worker.store.queue.intake import highest_job
from worker.store.queue.run_intake import close_intake
from worker.store.reading.receipts import escalated_example
from worker.store.reading.sources import cited_most
from worker.store.runs import RunRef

LATENCY_SCALE = 0.5
"""Half of the simulator's believable latency, so that the demo ends within a minute."""
KEEP = "RUNG_DEMO"
NAMED, EVERY = 4, 100
ABOUT_AN_ORDER = "msg-02245"
"""A message of the sample that is answered from the shop."""


@click.command()
@click.option("--workers", type=click.IntRange(1, 8), default=1, help="Worker processes.")
@click.option("--policy", help="Preset or policy; `ladder` if left out.")
def demo(workers: int, policy: str | None) -> None:
    """Answer the shipped sample backlog with a simulated Claude, and show the bill.

    Always embedded and always simulated, whatever is configured: a demo neither costs money nor
    touches your database. RUNG_DEMO=keep leaves it running at the end.
    """
    settings = load_settings().model_copy(
        update={"database_url": None, "redis_url": None, "anthropic_api_key": None}
    )
    backlog = default_directory().parent / "backlog.jsonl"
    if not backlog.is_file():
        raise RungError(f"The sample backlog is missing: {backlog}.", mend="reinstall rung")
    began = time.monotonic()
    # The shipped prompts have proved themselves, and a simulated call costs nothing.
    os.environ.setdefault("RUNG_CANARY__ENABLED", "false")
    os.environ.update(shop_environ(settings))
    with working(settings, workers=workers, latency_scale=LATENCY_SCALE) as work:
        talk(f"Dashboard {work.dashboard_url}", bold=True)
        script_facts(work.running.environ["ANTHROPIC_BASE_URL"])
        run = _hand_in(work.engine, settings, backlog, policy)
        _follow(work, settings, run.name)
        _show_bill(work.engine, settings, run.name)
        with work.engine.connect() as connection:
            example = escalated_example(connection, run.id)
            cited = cited_most(connection, run.id, EVERY)
        _say_what_they_stand_on(cited)
        with work.engine.connect() as connection:
            say_facts(connection, run.name)
        kept = os.environ.get(KEEP) == "keep"
        _say_where_next(run.name, example, time.monotonic() - began)
        later = f"http://127.0.0.1:{settings.dashboard.port}/"
        if kept or work.dashboard_url.startswith(later):
            _point_to_dashboard(work.dashboard_url if kept else later, run.name, kept=kept)
        else:  # somebody has that port, and their dashboard is another
            talk("\nSee it all on the dashboard: `rung up` says its address.", bold=True)
        if kept:
            work.until_stopped()


def _hand_in(engine: Engine, settings: Settings, backlog: Path, policy: str | None) -> RunRef:
    """A new run of the sample, though an earlier demo may have answered the same messages."""
    with engine.begin() as connection:
        chosen = checking_facts(_with_orders(policy_named(settings, policy)))
        new = NewRun(
            name="demo",
            policy=chosen,
            audit_share=settings.audit.share,
            prompts=prompts_of(settings, chosen),
        )
        run = create_run(connection, new)
        first_job = highest_job(connection)
    with backlog.open("rb") as stream:
        blocks = read_blocks(str(backlog), stream)
        own = add_all(engine, run, (block.records for block in blocks), first_job)
    with engine.begin() as connection:
        close_intake(connection, run, 0, 0, own)
    return run


def _with_orders(policy: Policy) -> Policy:
    """The policy, shown what its messages' customers have ordered."""
    shown = replace(policy.context, lookups=(*policy.context.lookups, SHOP))
    return replace(policy, context=shown)


def _follow(work: Work, settings: Settings, run: str) -> None:
    def wait(seconds: float) -> None:
        if work.stop_asked.wait(seconds):
            raise KeyboardInterrupt
        work.look()

    follow(LadderView(work.engine, settings, run), wait)


def _show_bill(engine: Engine, settings: Settings, run: str) -> None:
    from worker.cli.cost import print_bill
    from worker.store.reading.bill import bill_of
    from worker.store.runs import find_run

    with engine.connect() as connection:
        bill = bill_of(connection, find_run(connection, run), settings)
    print_bill(bill)


def _say_what_they_stand_on(cited: list[tuple[str, int]]) -> None:
    if cited:
        named = ", ".join(f"{source} ({answers})" for source, answers in cited[:NAMED])
        talk(f"\nAnswers name what they stand on; most often: {named}")
    if orders := dict(cited).get(SHOP):
        talk(f"{orders} about an order say how it stands, as the look-up {SHOP} has it.")


def _say_where_next(run: str, example: str, seconds: float) -> None:
    named = quote(run)
    talk(f"\nDone in {seconds:.0f} s, start-up included. With `rung up` running:")
    for command, words in (
        (f"rung results {named} -o answers.csv", "every answer, with tier, confidence and cost"),
        (f"rung show {named}/{quote(example)}", "why this message climbed, step by step"),
        (
            f"rung show {named}/{ABOUT_AN_ORDER} --text",
            "an answer from an order that was looked up",
        ),
        (f"rung show {named}/{MADE_UP} --text", "an amount that was made up, and what followed"),
        (f"rung review {named}", "what waits for a person"),
        ("rung enqueue FILE --watch", "your own backlog"),
    ):
        talk(f"  {command:<36} {words}")


def _point_to_dashboard(address: str, run: str, *, kept: bool) -> None:
    """The last words: where the same is seen, and acted upon."""
    if kept:
        talk(f"\nDashboard {address}  and this run: /runs/{run}", bold=True)
        talk("Still running, because RUNG_DEMO=keep. Ctrl-C ends it.")
        return
    talk("\nSee it all on the dashboard: `rung up` serves what you just saw at", bold=True)
    talk(f"  {address}  and this run at {address}runs/{run}", bold=True)
