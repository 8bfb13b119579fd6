"""`POST /api/runs`: a helpdesk hands messages over, as `rung enqueue` does.

What was accepted is committed before the answer leaves. The same `Idempotency-Key` again means the
same run, and adds nothing twice; so does the same body without a key.
"""

import datetime as dt
import tempfile
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from decimal import Decimal
from itertools import chain
from typing import IO, Any

from sqlalchemy import Connection
from sqlalchemy.exc import IntegrityError
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response

from worker.config.policies import policy_named
from worker.dashboard.api.endpoints import Call, Conflict, json_response
from worker.domain.lane_choice import lane_of
from worker.errors import ConfigurationError
from worker.intake import BacklogError, Block, Caps, Reject, read_blocks
from worker.store.queue.intake import DEFAULT_SOURCE, Intake, highest_job, runs_holding
from worker.store.runs import (
    NewRun,
    RunRef,
    close_intake,
    create_run,
    forget_run,
    holding_intake,
    reopen_intake,
    run_with_key,
)

KINDS = {
    "application/x-ndjson": "jsonl",
    "application/jsonl": "jsonl",
    "application/json": "json",
    "text/csv": "csv",
    "text/tab-separated-values": "tsv",
}
KEY = "idempotency-key"
MAX_KEY = 200
IN_MEMORY = 1_000_000
LISTED = 1_000
ASKED_WHERE_KNOWN = 200


@dataclass(slots=True)
class Tally:
    """What has come in so far."""

    accepted: int = 0
    rejected: int = 0
    duplicates: int = 0
    rejects: list[Reject] = field(default_factory=list)
    warnings: list[Reject] = field(default_factory=list)
    known: list[tuple[str, str]] = field(default_factory=list)

    def reject(self, rejects: list[Reject]) -> None:
        """Counts rejected rows, and keeps the first ones."""
        self.rejected += len(rejects)
        self.rejects += rejects[: max(LISTED - len(self.rejects), 0)]


async def receive(request: Request) -> IO[bytes]:
    """The body in a file that is gone with the request. Raises HTTPException 413, 415."""
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if kind not in KINDS:
        raise HTTPException(415, f"The body must be one of: {', '.join(KINDS)}.")
    if request.headers.get("content-encoding", "identity") != "identity":
        raise HTTPException(415, "A compressed body is not taken here.")
    spooled = tempfile.SpooledTemporaryFile(IN_MEMORY)  # noqa: SIM115 - `Endpoint.serve` closes it
    try:
        async for part in request.stream():
            spooled.write(part)
    except BaseException:
        spooled.close()
        raise
    spooled.seek(0)
    return spooled


def hand_in(call: Call) -> Response:
    """Takes the rows: 201 with a new run, 200 when nothing new was made."""
    assert call.upload is not None
    key = _key(call)
    blocks = _blocks(call, call.upload)
    first = next(blocks, Block())
    with call.engine.connect() as keeper:
        with keeper.begin():
            run, made = _find_or_make(keeper, call, key)
            first_job = highest_job(keeper)
        source, again = call.query.get("source"), call.query["again"]
        intake = Intake(call.engine, run, source, again, first_job)
        tally, kept = Tally(), None
        with holding_intake(call.engine, run.id) as mine:
            if not mine:
                raise Conflict(f"Another intake into run {run.name} is under way.")
            try:
                _take_all(intake, chain([first], blocks), tally)
            finally:
                kept = _close(keeper, run, made, tally)
        return _answer(keeper, kept, made, tally)


def _take_all(intake: Intake, blocks: Iterable[Block], tally: Tally) -> None:
    """Commits block after block. What was committed before a body broke off stays."""
    try:
        for block in blocks:
            _take(intake, block, tally)
    except HTTPException as error:
        if not tally.accepted:
            raise
        words = f"{error.detail} The {tally.accepted} rows before it are in run {intake.run.name}."
        raise HTTPException(400, words) from None


def _blocks(call: Call, upload: IO[bytes]) -> Iterator[Block]:
    """The rows. The first block is read before a run is made, so a body that cannot be read at
    all leaves none behind."""
    kind = KINDS[call.headers["content-type"].partition(";")[0].strip().lower()]
    caps = Caps(expanded=call.settings.dashboard.upload_mb * 1_000_000)
    try:
        yield from read_blocks("the body", upload, kind=kind, caps=caps, packed=False)
    except BacklogError as error:
        raise HTTPException(400, str(error)) from None


def _find_or_make(connection: Connection, call: Call, key: str | None) -> tuple[RunRef, bool]:
    if key is not None and (known := run_with_key(connection, key)):
        reopen_intake(connection, known)
        return known, False
    query, settings = call.query, call.settings
    cap, deadline = query.get("budget_usd"), _deadline(query.get("deadline"))
    try:
        policy = policy_named(settings, query.get("policy"))
    except ConfigurationError as error:
        raise HTTPException(400, str(error)) from None
    new = NewRun(
        name=query.get("run") or f"{call.visitor.name}-{dt.datetime.now(dt.UTC):%Y-%m-%d}",
        policy=policy,
        lane=lane_of(query.get("lane"), deadline),
        priority=query["priority"],
        budget_cap=Decimal(str(cap)) if cap is not None else settings.budget.per_run_usd,
        deadline=deadline,
        key=key,
        named=query.get("run") is not None,
        audit_share=settings.audit.share,
    )
    try:
        return create_run(connection, new), True
    except IntegrityError:
        raise Conflict("The same Idempotency-Key is being used just now; try again.") from None


def _take(intake: Intake, block: Block, tally: Tally) -> None:
    tally.reject(block.rejects)
    tally.warnings += block.warnings[: max(LISTED - len(tally.warnings), 0)]
    if not block.records:
        return
    added = intake.add(block.records)
    tally.accepted += added.accepted
    tally.duplicates += added.duplicates
    tally.reject(added.rejects)
    if not tally.accepted and not tally.known:
        tally.known = [
            (intake.source or record.source or DEFAULT_SOURCE, record.external_id)
            for record in block.records[:ASKED_WHERE_KNOWN]
        ]


def _close(connection: Connection, run: RunRef, made: bool, tally: Tally) -> RunRef | None:
    """Ends the intake; a run that was made here and got no job goes away again."""
    connection.rollback()
    with connection.begin():
        if made and not tally.accepted:
            forget_run(connection, run)
            return None
        close_intake(connection, run, tally.rejected, tally.duplicates)
    return run


def _answer(connection: Connection, run: RunRef | None, made: bool, tally: Tally) -> Response:
    if run is None and not tally.duplicates:
        raise HTTPException(422, f"No row could be taken: {_first_reason(tally)}.")
    document = {
        "run": run.name if run is not None else None,
        "accepted": tally.accepted,
        "rejected": tally.rejected,
        "duplicates": tally.duplicates,
        "rejects": [_line(reject) for reject in tally.rejects],
        "warnings": [_line(warning) for warning in tally.warnings],
        "known_in": runs_holding(connection, tally.known) if run is None else [],
    }
    return json_response(document, 201 if made and run is not None else 200)


def _first_reason(tally: Tally) -> str:
    first = tally.rejects[0] if tally.rejects else None
    return f"line {first.line}: {first.reason}" if first else "it holds none"


def _line(reject: Reject) -> dict[str, Any]:
    return {"line": reject.line, "reason": reject.reason, "external_id": reject.external_id}


def _key(call: Call) -> str | None:
    key = call.headers.get(KEY)
    if key is not None and not (0 < len(key) <= MAX_KEY and key.isprintable()):
        raise HTTPException(400, f"Idempotency-Key must be 1 to {MAX_KEY} printable characters.")
    return key


def _deadline(words: str | None) -> dt.datetime | None:
    if words is None:
        return None
    try:
        moment = dt.datetime.fromisoformat(words)
    except ValueError:
        raise HTTPException(400, "deadline is not an ISO 8601 time.") from None
    moment = moment if moment.tzinfo is not None else moment.replace(tzinfo=dt.UTC)
    if moment <= dt.datetime.now(dt.UTC):
        raise HTTPException(400, "deadline has passed.")
    return moment
