"""`rung up`: everything that is not configured, workers, and whatever else runs, until Ctrl-C."""

import dataclasses
import os
import secrets
import signal
import socket
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from types import FrameType

import click
from sqlalchemy import Engine

from worker.cli.demo_shop import shop_environ
from worker.cli.exit_codes import EXIT_INTERRUPTED
from worker.cli.listening import listening
from worker.cli.sizing import AUTO, WorkersType, processes, processors
from worker.cli.speech.interruption import END_WITHIN_S, end_within
from worker.cli.speech.output import SIMULATED, talk
from worker.config.address_spelling import shown
from worker.config.addresses import write_services
from worker.config.loading import MEND, load_settings
from worker.config.policies import check_policies
from worker.config.settings import Settings
from worker.domain.wording import plural
from worker.errors import ConfigurationError, RungError, Unreachable
from worker.sandbox.services import Running, sandbox
from worker.sandbox.supervisor import (
    Supervisor,
    dashboard_command,
    environment,
    scheduler_command,
    worker_command,
)
from worker.store.engine import make_engine, reaching_postgres
from worker.store.queue.presence import live_queues, workers_of
from worker.store.queue.rescue import rescue_from

LOOK_EVERY_S = 0.5
READY_WITHIN_S = 60.0
UNFINISHED = (
    "Not every process could finish what it had begun; their logs say why. Calls that were in"
    " flight are charged at their worst case, and their messages are answered again."
)


@click.command()
@click.option(
    "--workers",
    type=WorkersType(),
    default=1,
    help="Worker processes; auto: as many as this machine and the rate limits can use.",
)
@click.option("--latency-scale", default=1.0, help="Of the simulator; 0 answers at once.")
def up(workers: int | str, latency_scale: float) -> None:
    """Start everything that is not configured, and work until Ctrl-C.

    Without DATABASE_URL an embedded Postgres is started, without REDIS_URL an embedded Redis, and
    without ANTHROPIC_API_KEY a simulated Claude. A second terminal finds them by itself.
    """
    settings = load_settings()
    os.environ.update(shop_environ(settings))
    count = processes(workers, settings)
    with working(settings, workers=count, latency_scale=latency_scale) as work:
        if workers == AUTO:
            talk(f"{plural(count, 'worker')} on {processors():g} processors.")
        talk(f"Dashboard {work.dashboard_url}", bold=True)
        talk("Ready. In another terminal: rung enqueue FILE --watch")
        work.until_stopped()
        talk("Stopping: what is in flight is finished first.")


class Work:
    """Services and workers that are running."""

    def __init__(
        self, running: Running, supervisor: Supervisor, engine: Engine, settings: Settings
    ) -> None:
        self.running, self.supervisor, self.engine = running, supervisor, engine
        self.settings = settings
        self.dashboard_url = ""
        self.stop_asked = threading.Event()
        self.ready = False

    def start_dashboard(self, listener: socket.socket) -> None:
        """Starts the dashboard, which is handed the socket and with it its port, and says in
        `services.json` where it is."""
        wanted, port = self.settings.dashboard.port, listener.getsockname()[1]
        if wanted and port != wanted:
            talk(
                f"Port {wanted} is taken by another program, perhaps by somebody else's Rung:"
                f" this dashboard is at {port}.",
                fg="yellow",
            )
        token = local_token(self.settings)
        known = {"RUNG_DASHBOARD__TOKEN": token} if token else {}
        fd = listener.fileno()
        self.supervisor.add("dashboard", dashboard_command(fd), environ=known, inherits=[fd])
        self.dashboard_url = f"http://127.0.0.1:{port}/" + (f"?token={token}" if token else "")
        services = dataclasses.replace(self.running.services, dashboard_url=self.dashboard_url)
        write_services(self.running.home, services)

    def start_workers(self, count: int) -> None:
        """Starts them, and a scheduler where there is something to schedule."""
        for number in range(1, count + 1):
            command = worker_command(f"rung{number}")
            self.supervisor.add(f"worker-{number}", command, signal.SIGQUIT)
        if self.settings.ticks:
            self.supervisor.add("scheduler", scheduler_command())

    def look(self) -> None:
        """Restarts servers of our own and workers that ended, and says so."""
        for server in self.running.embedded:
            try:
                if said := server.revive():
                    talk(said, fg="yellow")
            except RungError as error:
                talk(str(error), fg="red")
        for words in self.supervisor.look(self.engine):
            talk(words, fg="yellow")

    def until_stopped(self) -> None:
        """Looks after the workers until SIGINT or SIGTERM."""
        while not self.stop_asked.wait(LOOK_EVERY_S):
            self.look()

    def until_ready(self, count: int) -> None:
        """Waits until every worker is at work. Raises RungError when one does not get there."""
        for _ in range(int(READY_WITHIN_S / 0.1)):
            if self.stop_asked.wait(0.1):
                raise KeyboardInterrupt
            if live_queues(self.engine) >= count * (len(self.settings.tiers) + 1):
                self.ready = True
                return
            if any(c.process and c.process.poll() is not None for c in self.supervisor.children):
                break
        raise RungError(
            f"The workers did not start. Their logs are in {self.supervisor.logs}.",
            mend="rung doctor",
        )


@contextmanager
def working(settings: Settings, *, workers: int, latency_scale: float) -> Iterator[Work]:
    """Services and `workers` processes, all at work; everything ends with the block."""
    if problems := check_policies(settings):
        raise ConfigurationError(problems, mend=MEND)
    hear = partial(talk, fg="yellow")
    with sandbox(settings, say=hear, latency_scale=latency_scale) as running:
        engine = make_engine(running.environ["DATABASE_URL"], pool_size=2, name="rung up")
        with reaching_postgres(engine):
            from worker.store.schema import upgrade

            upgrade(engine)
            _give_back(engine, running.left_over)
        _say_what_runs(settings, running)
        supervisor = Supervisor(environment(**running.environ), running.home)
        work = Work(running, supervisor, engine, settings)
        with _signals(work):
            try:
                # Nobody is to wait at a door behind which all are leaving: it is shut first.
                with listening(settings.dashboard.port) as listener:
                    work.start_dashboard(listener)
                    work.start_workers(workers)
                    work.until_ready(workers)
                    yield work
            finally:
                finished = supervisor.stop(settings.timing.stop_timeout_s)
                engine.dispose()
            if not finished:
                raise Unreachable(UNFINISHED, mend="rung up, which rescues what they held")


def _give_back(engine: Engine, pids: Sequence[int]) -> None:
    """Leases of workers that an earlier `rung up` left behind, and that have been ended now."""
    if not pids:
        return
    held = sum(rescue_from(engine, workers_of(engine, pid)) for pid in pids)
    talk(
        f"An earlier `rung up` was killed: {plural(len(pids), 'process')} of its own ended,"
        f" {plural(held, 'call')} rescued.",
        fg="yellow",
    )


@contextmanager
def _signals(work: Work) -> Iterator[None]:
    """Ctrl-C and SIGTERM ask for a clean stop; a second one interrupts, and so does the first while
    nothing is at work yet. What this process waits for then does not keep it: its children get
    their signal from the kernel."""

    def ask(_number: int, _frame: FrameType | None) -> None:
        if work.stop_asked.is_set() or not work.ready:
            end_within(END_WITHIN_S, EXIT_INTERRUPTED)
            raise KeyboardInterrupt
        work.stop_asked.set()

    before = {number: signal.signal(number, ask) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def local_token(settings: Settings) -> str | None:
    """What the dashboard is to be opened with: as set, or else made now; None where people sign in.
    Whoever else is at this machine can reach the port, and is nobody without it."""
    if not settings.dashboard.asks_for_token:
        return None
    given = settings.dashboard.token
    return given.get_secret_value() if given is not None else secrets.token_urlsafe(32)


def _say_what_runs(settings: Settings, running: Running) -> None:
    services = running.services
    talk(f"Postgres  {'embedded' if services.database_url else 'DATABASE_URL'}")
    talk(f"Redis     {'embedded' if services.redis_url else 'REDIS_URL'}")
    if running.simulated:
        talk(f"Claude    {SIMULATED}", fg="yellow", bold=True)
    else:
        where = shown(settings.anthropic_base_url or "api.anthropic.com")
        talk(f"Claude    {where}: calls cost money")
    talk(f"Logs      {_short(running.home / 'logs')}")


def _short(path: Path) -> str:
    """Relative to the working directory where it is inside."""
    try:
        return str(path.relative_to(Path.cwd()))
    except ValueError:
        return str(path)
