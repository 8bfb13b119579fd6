"""What `rung.connect(database_url)` gives to programs that run beside Rung: the verbs of the HTTP
API without a dashboard in between, with its documents and errors.

Whoever may write to the database is trusted with all of it, so nobody asks for a token; the audit
names the program.
"""

import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from decimal import Decimal
from pathlib import Path
from secrets import token_hex
from typing import IO, Any

import orjson
from sqlalchemy.exc import DBAPIError

from models.vocabulary import ReadingKind, Verdict
from rung.errors import CannotReach, ClientError, Conflicting, NotKnown, Refused
from rung.requests import Options, Row, Rows, Turn, VerdictDetails, moment
from rung.values import OVER
from worker.config.addresses import database_url
from worker.config.loading import load_settings
from worker.config.policies import policy_named
from worker.config.settings import Settings
from worker.domain.backlog import BacklogError
from worker.errors import ConfigurationError, Missing, RungError, Unreachable, UsageError
from worker.intake.ahead import stem
from worker.intake.handover import Handover
from worker.intake.maps import columns_of
from worker.intake.reader import ReadingOptions
from worker.intake.run_of_terms import IntakeBusy
from worker.intake.terms import RunTerms, parse_deadline, terms_for
from worker.runs.actions import perform
from worker.runs.exports import json_row, layout
from worker.runs.forecasts import keep_forecast
from worker.runs.orders import read_order
from worker.runs.review_turns import turn_document
from worker.store.actions.reviews import Judged, give_verdict
from worker.store.audit import Actor, audit_reading
from worker.store.engine import at_one_moment, is_outage, make_engine
from worker.store.queue.reading_leases import ReadBy, leave
from worker.store.reading.receipts import find_job_for_a_program
from worker.store.reading.results import own_columns, results_of
from worker.store.reading.review_queue import ReviewScope
from worker.store.reading.run_document import run_document
from worker.store.reading.standings import standing_of
from worker.store.reading.surrounding import surrounding_of
from worker.store.runs import find_run

IN_MEMORY = 1_000_000


class Direct:
    """One for a program; threads may share it. `name` stands in the audit, and in the names of runs
    that were given none. Raises CannotReach and Refused."""

    def __init__(self, environ: Mapping[str, str], directory: Path, name: str) -> None:
        with _told():
            self._settings: Settings = load_settings(environ, directory)
            self._engine = make_engine(
                database_url(self._settings),
                pool_size=5,
                connect_s=self._settings.timing.connect_s,
                name="rung client",
            )
        self._actor, self._session = Actor(name), token_hex(6)

    def close(self) -> None:
        """Closes the connections."""
        self._engine.dispose()

    def enqueue(self, rows: Rows, options: Options) -> dict[str, Any]:
        """As `POST /api/runs`; a file may be of any kind that `rung enqueue` takes."""
        with _told(), _as_file(rows) as (name, content):
            terms = self._terms(name, options)
            columns, usual = self._columns(options)
            kind = "jsonl" if name is None else None
            reading = ReadingOptions(kind=kind, columns=columns, usual=usual)
            handover = Handover(terms, reading, self._engine, by=self._actor)
            outcome = handover.take([(name or "the rows", content)])
            counts = outcome.counts
            if outcome.run is None and not counts.duplicates:
                raise UsageError(f"No row could be taken: {outcome.first_reason()}.")
            if outcome.run is not None and counts.accepted:
                keep_forecast(self._engine, terms.policy, outcome.run, counts.coming, terms.lane)
        return outcome.as_document()

    def status(self, run: str) -> dict[str, Any]:
        """As `GET /api/runs/RUN`."""
        with _told(), at_one_moment(self._engine) as connection:
            found = standing_of(connection, find_run(connection, run).id)
            around = surrounding_of(connection, self._settings)
            return _plain(run_document(connection, found, around))

    def results(self, run: str) -> Iterator[dict[str, Any]]:
        """As `GET /api/runs/RUN/results?text=true`, a row a job; the reading is audited."""
        with _told():
            with self._engine.connect() as connection:
                row = find_run(connection, run)
                columns = layout(own_columns(connection, row.id))
            audit_reading(self._engine, self._actor, f"run {row.name}")
            for one in results_of(self._engine, row.id, None):
                yield json_row(one, columns)

    def verdict(self, job: str, word: str, details: VerdictDetails) -> None:
        """As `POST /api/jobs/JOB/verdict`."""
        with _told():
            if word not in tuple(Verdict):
                raise UsageError(f"{word!r} is no verdict: use accept, edit or reject.")
            with self._engine.connect() as connection:
                job_id = find_job_for_a_program(connection, job)
            judged = Judged(
                job_id=job_id,
                verdict=Verdict(word),
                reply=details.get("reply"),
                reason=details.get("reason"),
                known=details.get("known"),
            )
            give_verdict(self._engine, self._actor, judged)

    def next_review(self, turn: Turn) -> dict[str, Any]:
        """As `POST /api/review/next`."""
        with _told():
            run_id = None
            if "run" in turn:
                with self._engine.connect() as connection:
                    run_id = find_run(connection, turn["run"]).id
            scope = ReviewScope(run_id=run_id, reason=turn.get("cause"))
            by = self._reader(turn.get("reader"))
            found = turn_document(self._engine, self._actor, by, scope, turn.get("skip"))
            return _plain(found)

    def leave_review(self, reader: str | None) -> int:
        """As `POST /api/review/leave`."""
        with _told():
            return leave(self._engine, ReadingKind.REVIEW, self._reader(reader))

    def _reader(self, seat: str | None) -> ReadBy:
        """Two connections of one name are two readers, as two sessions are."""
        name = f"{self._actor.name} ({seat})" if seat else self._actor.name
        return ReadBy(f"{name}/{self._session}", name)

    def cancel(self, run: str) -> int:
        """How many jobs ended."""
        with _told():
            with self._engine.connect() as connection:
                order = read_order(connection, list(self._settings.tiers), "cancel", {"run": run})
                state = find_run(connection, run).state
            if state in OVER:
                raise RungError(f"Run {run} is {state}.")
            return int(perform(self._engine, self._actor, order).affected or 0)

    def _columns(self, options: Options) -> tuple[dict[str, str], dict[str, str]]:
        said = options.get("map", {})
        saved = {name: one.columns for name, one in self._settings.intake.maps.items()}
        words = [said] if isinstance(said, str) else [f"{field}={at}" for field, at in said.items()]
        return columns_of(words, saved)

    def _terms(self, name: str | None, options: Options) -> RunTerms:
        cap = options.get("budget_usd")
        deadline = options.get("deadline")
        return terms_for(
            self._settings,
            policy_named(self._settings, options.get("policy")),
            lane=options.get("lane"),
            budget=Decimal(str(cap)) if cap is not None else None,
            usual_name=stem(name) if name is not None else self._actor.name,
            name=options.get("run"),
            source=options.get("source"),
            priority=options.get("priority", 0),
            deadline=parse_deadline(moment(deadline), "deadline") if deadline else None,
            key=options.get("key"),
            again=options.get("again", False),
            notify=options.get("notify", ()),
        )


@contextmanager
def _as_file(rows: Rows) -> Iterator[tuple[str | None, IO[bytes]]]:
    """The name and content of a file; rows are a file without a name."""
    if isinstance(rows, str | Path):
        with Path(rows).open("rb") as file:
            yield str(rows), file
        return
    with tempfile.SpooledTemporaryFile(IN_MEMORY) as spooled:
        for row in rows:
            spooled.write(_line(row))
        spooled.seek(0)
        yield None, spooled


def _line(row: Row) -> bytes:
    return orjson.dumps(dict(row), option=orjson.OPT_APPEND_NEWLINE)


def _plain(document: dict[str, Any]) -> dict[str, Any]:
    """As it comes by HTTP: dollars are numbers, times are text."""
    plain: dict[str, Any] = orjson.loads(orjson.dumps(document, default=float))
    return plain


@contextmanager
def _told() -> Iterator[None]:
    """Errors as programs know them, each with what mends it."""
    try:
        yield
    except RungError as error:
        raise _as_told(error) from None
    except DBAPIError as error:
        if is_outage(error):
            raise CannotReach("Postgres does not answer just now.") from None
        raise


def _as_told(error: RungError) -> ClientError:
    words = f"{error} {error.mend}" if error.mend else str(error)
    match error:
        case Missing():
            return NotKnown(words)
        case IntakeBusy():
            return Conflicting(words)
        case Unreachable():
            return CannotReach(words)
        case UsageError() | ConfigurationError() | BacklogError():
            return Refused(words)
    return Conflicting(words)
