"""Verdicts by the sheet: those of a spreadsheet that people filled in, or one for all that are
alike."""

from collections.abc import Iterable
from dataclasses import replace

from sqlalchemy import Connection, Engine, text

from worker.errors import RungError, UsageError
from worker.store.actions.reviews import AlreadyJudged, Judged, latest_verdict, reply_of, store
from worker.store.audit import Actor


def give_verdicts(
    engine: Engine,
    actor: Actor,
    sheet: Iterable[tuple[int, Judged]],
    overtaken: list[str] | None = None,
) -> int:
    """Stores the verdicts of a sheet, each with its record's number: all of them, or with an error
    none. What it says again of a job is passed over, and so is what stands in it as it was written.
    Where others have judged since, that is an error too, or with `overtaken` it is said there and
    the rest is taken. Returns how many were new."""
    new = 0
    with engine.begin() as connection:
        for record, judged in sheet:
            try:
                if not _is_known(connection, judged):
                    seen = judged if overtaken is None else _with_own(connection, actor, judged)
                    store(connection, actor, seen)
                    new += 1
            except AlreadyJudged as error:
                if overtaken is None:
                    raise _none_taken(record, error) from None
                overtaken.append(f"Record {record}: {error}")
            except RungError as error:
                raise _none_taken(record, error) from None
    return new


def _none_taken(record: int, error: RungError) -> UsageError:
    return UsageError(
        f"Record {record}: {error} No verdict of this file was taken.", mend=error.mend
    )


def _is_known(connection: Connection, judged: Judged) -> bool:
    """Whether this is the verdict that counts, or the one that the sheet was written with."""
    found = connection.execute(SAID, {"job": judged.job_id, "known": judged.known})
    said = (judged.verdict.value, reply_of(judged), judged.reason)
    return said in [tuple(row) for row in found]


def _with_own(connection: Connection, actor: Actor, judged: Judged) -> Judged:
    """A verdict of one's own is known: a row that somebody corrects is taken again."""
    latest = latest_verdict(connection, judged.job_id)
    mine = latest.id if latest.reviewer == actor.name else 0
    return replace(judged, known=max(judged.known or 0, mine))


SAID = text("""
SELECT verdict, reply, reason FROM reviews WHERE job_id = :job AND (id = :known
  OR id = (SELECT id FROM reviews WHERE job_id = :job ORDER BY id DESC LIMIT 1))
""")
