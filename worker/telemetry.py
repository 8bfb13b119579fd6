"""Structured logs: one JSON object a line on stderr, with no message text in any of them."""

import datetime as dt
import json
import logging
import sys
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
        line |= {k: v for k, v in vars(record).items() if k not in STANDARD}
        if record.exc_info and record.exc_info[0] is not None:
            line["error"] = record.exc_info[0].__name__
            line["where"] = _place(record.exc_info[2])
            line |= _constraint(record.exc_info[1])
        return json.dumps(line, default=str, ensure_ascii=True)


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
