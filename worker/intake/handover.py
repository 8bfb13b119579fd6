"""Takes files into one run, for the command and for the API: reading and storing overlap, and every
row is accounted for.

All files are opened and looked at before anything is stored: a file that cannot be read, or whose
columns nobody is sure of, leaves nothing behind. What was accepted before an error or Ctrl-C stays,
and is worked on.
"""

from collections.abc import Callable, Sequence
from contextlib import ExitStack, suppress
from dataclasses import replace
from typing import IO

from sqlalchemy import Engine

from worker.domain.backlog import BacklogError, Caps, Reject
from worker.domain.wording import plural
from worker.intake.ahead import ahead
from worker.intake.guess import Guess
from worker.intake.loads import FIRST_ROWS, Load, loads
from worker.intake.outcome import Counts, HandoverOutcome, Read
from worker.intake.reader import Backlog, ReadingOptions
from worker.intake.rejects import RejectsFile
from worker.intake.run_of_terms import IntakeBusy, run_of_terms
from worker.intake.shown_columns import never_synced, not_there
from worker.intake.terms import RunTerms, check_terms
from worker.store.audit import Actor, audit
from worker.store.new_runs import forget_run
from worker.store.queue.chunks import STORE_ERRORS, Intake
from worker.store.queue.intake import Added, highest_job, runs_holding
from worker.store.queue.run_intake import close_intake, holding_intake
from worker.store.queue.trial import IntakeTrial
from worker.store.runs import RunRef
from worker.store.statistics import after_intake

File = tuple[str, IO[bytes]]


def certain_only(_: str, guess: Guess) -> bool:
    """Whether a guess is taken where nobody can be asked."""
    return guess.certain


class Handover:
    """One handover. Without an engine, or with `dry`, nothing is stored.

    `accept` decides whether what was guessed of a file's columns is meant; `say` tells the person a
    sentence; `on_bytes` hears how many bytes of the files were read. The audit names `by`.
    """

    def __init__(
        self,
        terms: RunTerms,
        options: ReadingOptions,
        engine: Engine | None,
        *,
        dry: bool = False,
        by: Actor | None = None,
        caps: Caps | None = None,
        rejects: RejectsFile | None = None,
        accept: Callable[[str, Guess], bool] = certain_only,
        say: Callable[[str], None] = lambda _: None,
        on_bytes: Callable[[int], None] = lambda _: None,
    ) -> None:
        check_terms(terms)
        self._terms, self._engine, self._dry, self._by = terms, engine, dry, by
        self._options = replace(options, thread=terms.policy.context.thread_column)
        self._caps, self._rejects, self._accept = caps or Caps(), rejects, accept
        self._say, self._on_bytes = say, on_bytes
        self._counts = Counts()
        self._run: RunRef | None = None
        self._made_here = False
        self._store: Intake | IntakeTrial | None = None
        self._closed = False
        self._file = ""

    def take(self, files: Sequence[File]) -> HandoverOutcome:
        """Takes all files, each with its name. Raises BacklogError, UsageError, IntakeBusy, and the
        database's errors."""
        with ExitStack() as stack:
            self._stack = stack
            try:
                backlogs = [self._look_at(name, content) for name, content in files]
                reads = [self._accepted(backlog) for backlog in backlogs]
                if reads:
                    unsynced = never_synced(self._terms.policy, self._engine)
                    self._counts.warn(reads[0].name, unsynced)
                for backlog, read in zip(backlogs, reads, strict=True):
                    self._take_file(backlog, read)
            except BaseException as error:
                if not _interrupted(error):
                    raise
                # Should these fail, housekeeping ends the intake: nobody holds its lock any more.
                with suppress(*STORE_ERRORS):
                    self._settle()
                self._say(self._kept())
                with suppress(*STORE_ERRORS):
                    self._close()
                raise KeyboardInterrupt from None
            finally:
                self._close()
        return self._outcome(reads)

    def _look_at(self, name: str, content: IO[bytes]) -> Backlog:
        return Backlog(name, content, self._options, self._caps, self._on_bytes)

    def _accepted(self, backlog: Backlog) -> Read:
        guess = backlog.guess
        if guess.missing or (guess.found and not self._accept(backlog.path, guess)):
            raise backlog.refusal(guess)
        terms = self._terms
        absent = not_there(terms.policy, backlog.sample, terms.asked_by, guess.columns)
        self._counts.warn(backlog.path, absent)
        return Read(backlog.path, backlog.found, guess)

    def _take_file(self, backlog: Backlog, read: Read) -> None:
        self._file = backlog.path
        try:
            blocks, stored = backlog.blocks(read.guess), self._engine is not None and not self._dry
            for load in ahead(loads(blocks, self._terms.source, stored=stored)):
                self._take_load(backlog.path, load)
            self._settle()
        except BacklogError as error:
            self._settle()
            if not self._counts.accepted or self._run is None:
                raise
            rows = f"The {self._counts.accepted:,} rows before it are in run {self._run.name}."
            raise BacklogError(f"{error} {rows}", mend=error.mend) from None

    def _take_load(self, name: str, load: Load) -> None:
        counts = self._counts
        self._reject(name, load.rejects)
        counts.warn(name, load.warnings)
        counts.notes.merge(load.notes)
        if not load.rows:
            return
        counts.strata.update(load.strata)
        store = self._opened()
        if isinstance(store, Intake):
            self._count(name, store.add(load.chunk))
        else:
            self._count(name, store.add(load.records))
        if not counts.accepted and len(counts.known) < FIRST_ROWS:
            counts.known += load.first

    def _settle(self) -> None:
        """Waits until all that the store was given is committed, and counts it."""
        if isinstance(self._store, Intake):
            self._count(self._file, self._store.settle())

    def _count(self, name: str, added: Added) -> None:
        self._counts.accepted += added.accepted
        self._counts.duplicates += added.duplicates
        self._counts.lengths.merge(added.lengths)
        self._reject(name, added.rejects)

    def _reject(self, name: str, rejects: list[Reject]) -> None:
        if rejects:
            self._counts.reject(name, rejects)
            if self._rejects is not None:
                self._rejects.add(name, rejects)

    def _opened(self) -> "Intake | IntakeTrial":
        """The run is made when its first rows are, so a refused file leaves none behind."""
        if self._store is not None:
            return self._store
        terms = self._terms
        if self._dry or self._engine is None:
            self._store = self._stack.enter_context(
                IntakeTrial(self._engine, terms.source, again=terms.again)
            )
            return self._store
        with self._engine.begin() as connection:
            self._run, self._made_here = run_of_terms(connection, self._terms)
            first_job = highest_job(connection)
        if not self._stack.enter_context(holding_intake(self._engine, self._run.id)):
            busy, self._run = self._run, None
            raise IntakeBusy(
                f"Another intake into run {busy.name} is under way.",
                mend="wait for it, then run this again: nothing is added twice",
            )
        self._store = Intake(
            engine=self._engine,
            run=self._run,
            again=terms.again,
            first_job=first_job,
        )
        self._stack.callback(self._store.close)
        return self._store

    def _close(self) -> None:
        """Ends the intake, once: an empty run that was made here goes away again."""
        if self._closed:
            return
        self._closed = True
        # What is open may be committed yet: a run with rows in it is not forgotten.
        with suppress(*STORE_ERRORS):
            self._settle()
        if self._rejects is not None:
            self._rejects.close()
        if self._engine is None or self._run is None:
            return
        with self._engine.begin() as connection:
            empty = self._made_here and not self._counts.accepted
            if empty and forget_run(connection, self._run):
                self._run = None
            else:
                counts = self._counts
                own = self._store.own if isinstance(self._store, Intake) else ()
                close_intake(connection, self._run, counts.rejected, counts.duplicates, own)
                if self._by is not None and counts.accepted:
                    rest = {"rejected": counts.rejected, "known": counts.duplicates}
                    name = f"run {self._run.name}"
                    audit(connection, self._by, "submit", name, counts.accepted, **rest)
                after_intake(connection, counts.accepted)

    def _kept(self) -> str:
        if self._run is None or not self._counts.accepted:
            return "Nothing was taken in: rows are accepted a block at a time."
        return (
            f"Taken in, and to be answered in run {self._run.name}:"
            f" {plural(self._counts.accepted, 'row')}. Run the same command again to add the rest."
        )

    def _outcome(self, reads: list[Read]) -> HandoverOutcome:
        known_in: list[str] = []
        if self._engine is not None and self._run is None and self._counts.duplicates:
            with self._engine.connect() as connection:
                known_in = runs_holding(connection, self._counts.known)
        return HandoverOutcome(
            run=self._run.name if self._run is not None else None,
            made=self._made_here,
            counts=self._counts,
            rejects_file=self._rejects.path if self._rejects is not None else None,
            known_in=known_in,
            read=reads,
            compared=self._engine is not None,
        )


def _interrupted(error: BaseException | None) -> bool:
    """Whether Ctrl-C is behind it: a driver may report it as a statement that was cancelled."""
    while error is not None:
        if isinstance(error, KeyboardInterrupt):
            return True
        error = error.__cause__ or error.__context__
    return False
