"""Postgres: does it answer, take writes, have room for every worker, and are queues served?"""

from collections.abc import Collection, Iterator, Sequence
from shlex import quote

from sqlalchemy import Connection

from models.vocabulary import EVERYTHING
from worker.cli.diagnosis.finding import Symptom
from worker.cli.diagnosis.redis import real_key
from worker.cli.diagnosis.releases import what_it_lacks
from worker.cli.speech.context import database
from worker.config.knowledge import folders_named
from worker.config.settings import Settings
from worker.domain.wording import count, plural
from worker.errors import ConfigurationError, Unreachable
from worker.lookups.embedding import embedders_of
from worker.store.complaints import PRIMARY
from worker.store.engine import ping, pooled, takes_writes
from worker.store.passages import stored_folders
from worker.store.queue.deliveries import standing
from worker.store.reading.connections import Connections, connections
from worker.store.reading.durability import Durability, durability
from worker.store.reading.queue_holds import QueueHold, queue_holds
from worker.store.reading.queue_states import ON_TRIAL, WELL, WITHOUT_REDIS, QueueNow, queue_states
from worker.store.reading.standings import LIVE_MOST, live_runs
from worker.store.reading.surrounding import surrounding_of
from worker.store.rights import missing_rights
from worker.store.vectors import has_pgvector, seen_of

PEOPLE = 10
"""Connections that should stay free for commands, the dashboard and whoever else looks."""


def examine(settings: Settings) -> Iterator[Symptom]:
    """Raises RungError when no run could use it."""
    with database(settings) as engine, engine.connect() as connection:
        if not takes_writes(connection):
            raise Unreachable("Postgres takes no writes.", mend=PRIMARY)
        version = ping(connection)
        words = f"version {version}, schema up to date"
        through = ", through a pooler: settings go with each transaction"
        yield Symptom(
            name="postgres", ok=True, words=words + (through if pooled(connection) else "")
        )
        if settings.database_url is None and real_key(settings):
            words = "embedded, though the key is real: nobody backs it up"
            yield Symptom(
                name="postgres",
                ok=None,
                words=words,
                mend="set DATABASE_URL to a server of your own",
            )
        lacking = what_it_lacks("PostgreSQL", version) if settings.database_url else None
        if lacking is not None:
            words = f"PostgreSQL {version} {lacking[0]}"
            yield Symptom(name="postgres", ok=None, words=words, mend=lacking[1])
        yield from _durability(durability(connection))
        for words, grant in missing_rights(connection):
            yield Symptom(
                name="rights",
                ok=False,
                words=words,
                mend=f"as the owner, {grant}",
                exit_code=ConfigurationError.exit_code,
            )
        if not pooled(connection):
            yield _room(settings, connections(connection))
        yield from _pages(folders_named(settings), stored_folders(connection))
        yield from _meaning(settings, connection)
        yield from _holds(connection, settings)


def _durability(found: Durability) -> Iterator[Symptom]:
    """What may be lost with that server's power though it was committed: messages, and the record
    of answers that were paid for."""
    lost = "what was accepted and answered may be gone after a crash of that server"
    system = "ALTER SYSTEM SET {} = on; SELECT pg_reload_conf()"
    if not found.flushed:
        words, mend = f"fsync is off: {lost}, or its files be broken", system.format("fsync")
        yield Symptom(name="durability", ok=None, words=words, mend=mend)
    if not found.whole_pages:
        words = "full_page_writes is off: a crash may break its files, unless its storage writes"
        mend = f"{system.format('full_page_writes')}, unless it lies on ZFS or its like"
        yield Symptom(name="durability", ok=None, words=f"{words} whole pages", mend=mend)
    if not found.waited_for:
        words = f"DATABASE_URL sets synchronous_commit off: {lost}"
        yield Symptom(
            name="durability", ok=None, words=words, mend="leave it out: Rung sets it on by itself"
        )


def _holds(connection: Connection, settings: Settings) -> Iterator[Symptom]:
    """The queues, and whatever somebody or something keeps."""
    live = live_runs(connection, LIVE_MOST)
    around = surrounding_of(connection, settings)
    lines = queue_states(connection, around.queues, live, redis_away=around.redis_away)
    holds = {hold.name: hold for hold in queue_holds(connection) if hold.lasts}
    if hold := holds.get(EVERYTHING):
        words = hold.why(sum(line.waiting for line in lines), None)
        yield Symptom(name="paused", ok=False, words=words, mend=hold.help, exit_code=1)
    for line in lines:
        yield _queue(line, holds.get(line.queue))
    for run in live:
        if run.state == "paused":
            name = f"run {run.name}"
            yield Symptom(name=name, ok=None, words=run.pause_words, mend=run.resume_with)
    for webhook in standing(connection):
        if webhook.paused_at is not None:
            mend = f"rung deliver resume {quote(webhook.name)}"
            yield Symptom(name="deliveries", ok=None, words=webhook.pause_words, mend=mend)


def _pages(named: Sequence[str], synced: Collection[str]) -> Iterator[Symptom]:
    """Folders of pages that policies name: without a sync, answers go out without them."""
    if missing := [name for name in named if name not in synced]:
        words = f"{', '.join(missing)}: never synced, so answers stand on no page of them"
        yield Symptom(name="knowledge", ok=None, words=words, mend="rung knowledge sync")
    elif named:
        yield Symptom(name="knowledge", ok=True, words=f"{', '.join(named)}: synced")


def _meaning(settings: Settings, connection: Connection) -> Iterator[Symptom]:
    """Embedders that policies name: without pgvector, and of what they have not seen, they find
    nothing."""
    named = {name: embedders_of(settings, name) for name in folders_named(settings)}
    embedders = sorted({one for those in named.values() for one in those})
    if not embedders:
        return
    words, mend = ", ".join(embedders), "rung knowledge sync"
    if not has_pgvector(connection):
        words = f"not in this database: {words} finds nothing, words alone do"
        yield Symptom(name="pgvector", ok=None, words=words, mend=mend)
        return
    yield Symptom(name="pgvector", ok=True, words=f"there, for {words}")
    for folder, those in named.items():
        for one in those:
            seen, held = seen_of(connection, folder, one)
            if seen < held:
                words = f"{one} has seen {seen:,} of {held:,} passages of {folder}"
                yield Symptom(name="pgvector", ok=None, words=words, mend=mend)


def _room(settings: Settings, found: Connections) -> Symptom:
    each = settings.database.connections
    wanted = found.workers * each
    may = f"{plural(found.workers, 'worker')} may open {wanted}"
    if not found.workers:
        may = f"no worker is there yet, and each may open {each}"
    words = f"{found.used} of {found.limit} in use; {may}"
    if wanted + PEOPLE <= found.limit:
        return Symptom(name="connections", ok=True, words=words)
    words += f", which leaves fewer than {PEOPLE} for everybody else"
    mend = "lower database.connections, raise the limit, or put a pooler between"
    return Symptom(name="connections", ok=None, words=words, mend=mend)


def _queue(line: QueueNow, hold: QueueHold | None) -> Symptom:
    name, word = f"queue {line.queue}", line.state.word
    if hold is not None and hold.paused:
        words = f"{word}: {hold.why(line.waiting, None)}"
        return Symptom(name=name, ok=False, words=words, mend=hold.help, exit_code=1)
    kept = f"{word}: {hold.why(line.waiting, hold.breaker_s)}" if hold is not None else ""
    if not line.workers:
        words = "; ".join(part for part in ("no worker is there", kept) if part)
        mend = f"rung up, or rung worker -Q {line.queue}"
        return Symptom(name=name, ok=False, words=words, mend=mend, exit_code=1)
    if hold is not None:
        return Symptom(name=name, ok=None, words=kept, mend=hold.help)
    words = f"{plural(line.workers, 'worker')}, {count(line.waiting)} waiting"
    if line.state == WELL:
        return Symptom(name=name, ok=True, words=words)
    if line.state == ON_TRIAL:
        return Symptom(name=name, ok=True, words=f"{words}; {line.trial_words}")
    mend = "rung resume everything" if line.halted else "rung status, which says which"
    if line.state == WITHOUT_REDIS:
        mend = "what redis says below"
    return Symptom(name=name, ok=None, words=f"{word}; {words}", mend=mend)
