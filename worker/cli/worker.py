"""`rung worker`: a Celery worker of ours, wherever it is started."""

from typing import Any

import click

QUIET = ("--without-gossip", "--without-mingle")


@click.command(context_settings={"ignore_unknown_options": True})
@click.option("-Q", "--queues", help="Queues to take from, with commas; all when left out.")
@click.option("-n", "--hostname", "name", default="rung@%h", help="Name of the worker.")
@click.option("-l", "--loglevel", default="INFO", help="How much it says.")
@click.argument("celery_options", nargs=-1, type=click.UNPROCESSED)
@click.pass_context
def worker(
    ctx: click.Context,
    queues: str | None,
    name: str,
    loglevel: str,
    celery_options: tuple[str, ...],
) -> None:
    """Start a worker process: as `celery -A worker.app worker`, from any directory.

    Further options are Celery's. SIGTERM stops it, and what is in flight is finished first.
    """
    from worker.config.addresses import redis_address
    from worker.config.loading import load_settings

    # Here, and not while the app is imported, so that the exit code tells what is wrong.
    redis_address(load_settings())
    from worker.app import app

    taken = ["-Q", queues] if queues else []
    arguments = ["worker", "-l", loglevel, "-n", name, *taken, *QUIET, *celery_options]
    code: Any = app.start(arguments)
    ctx.exit(code or 0)
