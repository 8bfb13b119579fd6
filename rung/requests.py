"""Requests and what answers mean, without a connection: both clients send the same."""

import datetime as dt
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from pathlib import Path
from typing import Any, TypedDict, cast
from urllib.parse import quote

from rung.errors import Refused, error_of
from rung.values import Answered

Row = Mapping[str, Any]
Rows = Iterable[Row] | str | Path
"""Rows with at least `external_id` and `body`, or the path of a file."""
KINDS = {
    ".jsonl": "application/x-ndjson",
    ".ndjson": "application/x-ndjson",
    ".json": "application/json",
    ".csv": "text/csv",
    ".tsv": "text/tab-separated-values",
    ".xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
    ".ods": "application/vnd.oasis.opendocument.spreadsheet",
    ".mbox": "application/mbox",
    ".eml": "message/rfc822",
    ".gz": "application/gzip",
    ".zip": "application/zip",
}
PLAIN = ("run", "source", "policy", "lane", "budget_usd", "priority")
JSON_LINES = "application/x-ndjson"
HEADERS = {"Accept": "application/json", "User-Agent": "rung-client"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Sending:
    """One request."""

    method: str
    path: str
    query: Mapping[str, str] = field(default_factory=dict)
    headers: Mapping[str, str] = field(default_factory=dict)
    content: bytes | None = None


class Options(TypedDict, total=False):
    """What may be said of a run that is submitted; each as `rung enqueue` has it."""

    run: str
    """Its name; the token's name and the day, unless given."""
    source: str
    policy: str
    lane: str
    budget_usd: Decimal | float
    deadline: dt.datetime | dt.timedelta
    """A moment with its zone, or a span from now."""
    notify: Sequence[str]
    """Mail addresses that are told of its end."""
    priority: int
    key: str
    """The same again means the same run, and adds nothing twice."""
    again: bool
    """Answer messages anew that are in another run already."""
    map: Mapping[str, str] | str
    """Where our fields stand: `{"body": "Message"}`; or the name of a map, `zendesk`."""


class Turn(TypedDict, total=False):
    """Which reviews, and who reads them."""

    run: str
    cause: str
    """Only what waits for this reason: `low_confidence`, say."""
    skip: int
    """The job after which to go on, undecided."""
    reader: str
    """Tells people apart who share a token."""


class VerdictDetails(TypedDict, total=False):
    """What goes with a verdict."""

    reply: str | None
    """What goes out instead, for `edit`."""
    reason: str | None
    """Why not, for `reject`."""
    known: int | None
    """That of the list in which it was seen, 0 for none: a later one of somebody else raises
    Conflicting, where it would have been overruled."""


def said(options: Options) -> Options:
    """Without what is None: a program has that where it passes on what nobody told it."""
    return cast("Options", {name: value for name, value in options.items() if value is not None})


def enqueue(rows: Rows, options: Options) -> Sending:
    """Submits rows. Raises Refused for a file of a kind that is not taken by HTTP, OSError for
    one that cannot be read."""
    content, kind = _content(rows)
    known = said(options)
    query = {name: str(known[name]) for name in PLAIN if name in known}  # type: ignore[literal-required]
    if "notify" in known:
        query["notify"] = ",".join(known["notify"])
    if "deadline" in known:
        query["deadline"] = moment(known["deadline"])
    if "map" in known:
        places = known["map"]
        query["map"] = places if isinstance(places, str) else json.dumps(dict(places))
    if known.get("again"):
        query["again"] = "true"
    headers = {"Content-Type": kind}
    if "key" in known:
        headers["Idempotency-Key"] = known["key"]
    return Sending(method="POST", path="/api/runs", query=query, headers=headers, content=content)


def status(run: str) -> Sending:
    """How a run stands."""
    return Sending(method="GET", path=f"/api/runs/{quote(run)}")


def results(run: str) -> Sending:
    """The answers with their text, a line each."""
    path = f"/api/runs/{quote(run)}/results"
    return Sending(method="GET", path=path, query={"text": "true", "format": "jsonl"})


def verdict(job: int | str, word: str, details: VerdictDetails) -> Sending:
    """What a person says of a best effort."""
    body = {"verdict": word, **details}
    return _posting(f"/api/jobs/{quote(str(job))}/verdict", body)


def next_review(turn: Turn) -> Sending:
    """The next best effort that waits for a person."""
    return _posting("/api/review/next", turn)


def leave_review(reader: str | None) -> Sending:
    """What this reader has before them is for others again."""
    return _posting("/api/review/leave", {"reader": reader})


def cancel(run: str) -> Sending:
    """Ends a run's open jobs."""
    return _posting("/api/actions", {"action": "cancel", "run": run})


def document_of(status: int, content: bytes, retry_after: str | None = None) -> Any:
    """What the server said. Raises the error of an answer that is none, in the server's words (RFC
    9457); `retry_after` is that header."""
    try:
        document = json.loads(content)
        if 200 <= status < 300:
            return document
        words = document.get("detail") or document.get("title") or f"HTTP {status}"
    except (ValueError, AttributeError):
        words = f"HTTP {status}, and not from Rung's API: is the address right?"
    # A date is not what Rung sends, but what may stand between.
    seconds = float(retry_after) if (retry_after or "").isdecimal() else None  # type: ignore[arg-type]
    raise error_of(status, str(words), seconds)


def answered(line: str) -> Answered:
    """A row of the results. Raises Refused for what is none."""
    try:
        return Answered.of(json.loads(line))
    except (ValueError, KeyError, TypeError):
        raise Refused("What came is no row of Rung's API: is the address right?") from None


def _posting(path: str, body: Mapping[str, Any]) -> Sending:
    given = {name: value for name, value in body.items() if value is not None}
    return Sending(
        method="POST",
        path=path,
        headers={"Content-Type": "application/json"},
        content=json.dumps(given).encode(),
    )


def _content(rows: Rows) -> tuple[bytes, str]:
    if not isinstance(rows, str | Path):
        return b"".join(json.dumps(dict(row)).encode() + b"\n" for row in rows), JSON_LINES
    path = Path(rows)
    kind = KINDS.get(path.suffix.lower())
    if kind is None:
        raise Refused(f"{path.name} is not taken by HTTP: use one of {', '.join(KINDS)}.")
    return path.read_bytes(), kind


def moment(deadline: dt.datetime | dt.timedelta) -> str:
    """ISO 8601, of a moment or a span from now. Raises Refused for one without a zone."""
    if isinstance(deadline, dt.timedelta):
        deadline = dt.datetime.now(dt.UTC) + deadline
    if deadline.tzinfo is None:
        raise Refused("deadline has no time zone.")
    return deadline.isoformat()
