"""Structured logs: one JSON object a line on stderr, with no message text in any of them."""

import datetime as dt
import json
import logging
import sys
from collections.abc import Callable
from typing import Any

STANDARD = frozenset(vars(logging.makeLogRecord({}))) | {"message", "asctime", "taskName"}
QUIET = ("httpx2", "httpx", "anthropic", "aiohttp", "kombu", "amqp", "celery.worker.strategy")
"""Loggers that would write a line for every request or task."""


class JsonLines(logging.Formatter):
    """`{"at", "level", "logger", "event", …extra}`. Of an exception only its kind and place are
    kept: its words may quote what a customer wrote."""

    def format(self, record: logging.LogRecord) -> str:
        """One line."""
        line: dict[str, Any] = {
            "at": dt.datetime.fromtimestamp(record.created, dt.UTC).isoformat(),
            "level": record.levelname.lower(),
            "logger": record.name,
            "event": record.getMessage(),
        }
        return json.dumps(line | details_of(record), default=str, ensure_ascii=True)


class Sentences(logging.Formatter):
    """`event: name value, name value`, for who sits at a terminal; a record's `words` in place of
    them, where it has some. Of an exception no more is said than in the log of a worker."""

    def format(self, record: logging.LogRecord) -> str:
        """One line, or what `words` has."""
        details = details_of(record)
        if "words" in details:
            return str(details["words"])
        said = ", ".join(f"{name} {value}" for name, value in details.items())
        return record.getMessage() + (f": {said}" if said else "")


def details_of(record: logging.LogRecord) -> dict[str, Any]:
    """What a record says beside its event."""
    found = {k: v for k, v in vars(record).items() if k not in STANDARD}
    if record.exc_info and record.exc_info[0] is not None:
        found["error"] = record.exc_info[0].__name__
        found["where"] = _place(record.exc_info[2])
        found |= _constraint(record.exc_info[1])
    return found


def _constraint(error: BaseException | None) -> dict[str, str]:
    """The name of what the record refused, and never the row that was refused."""
    name = getattr(getattr(getattr(error, "orig", None), "diag", None), "constraint_name", None)
    return {"constraint": name} if isinstance(name, str) else {}


def _place(traceback: Any) -> str:
    last = ""
    while traceback is not None:
        code = traceback.tb_frame.f_code
        last = f"{code.co_filename}:{traceback.tb_lineno} in {code.co_name}"
        traceback = traceback.tb_next
    return last


def configure_logging(level: int | str | None = None) -> None:
    """Sends every log to stderr as JSON lines."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(JsonLines())
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(level or logging.INFO)
    for name in QUIET:
        logging.getLogger(name).setLevel(logging.WARNING)


def say_what_nobody_keeps(say: Callable[[str], None]) -> None:
    """Warnings of a process that keeps no log, a command's, are said: Python itself would print the
    bare event, and of an exception its words, which may quote what a customer wrote."""
    logging.lastResort = _Said(say)


class _Said(logging.Handler):
    def __init__(self, say: Callable[[str], None]) -> None:
        super().__init__(logging.WARNING)
        self._say = say
        self.setFormatter(Sentences())

    def emit(self, record: logging.LogRecord) -> None:
        try:
            self._say(self.format(record))
        except Exception:
            self.handleError(record)
