"""Why a look-up brought nothing, in words that hold none of a message's nor of what was found."""

import re
import sqlite3

import httpx2
import psycopg
from sqlalchemy.exc import DBAPIError

from worker.domain.looked_up import LookupRefused, RowRefused
from worker.domain.places import PlaceRefused

UNREACHED = "could not be reached"
ENDED = "ended the connection before its answer was whole"
_CAPITAL = re.compile(r"(?<=[a-z])(?=[A-Z])")
_OF_THE_VALUE = ("22P02", "22003", "22007", "22008", "22021", "22P05")
"""What Postgres says of a value that is none of the kind that it is compared with: `17x` where the
table has numbers, too large a number, no date, no character."""
_LATE = ("57014", "SQLITE_INTERRUPT")
"""How Postgres and SQLite name a statement that took too long."""


def reason_of(error: BaseException, late: str) -> str:
    """A sentence's end, as `could not be reached`; `late` where it took too long."""
    match error:
        case LookupRefused() | PlaceRefused():
            return str(error)
        case TimeoutError():
            return late
        case httpx2.ConnectError() | httpx2.ConnectTimeout():
            return UNREACHED
        case httpx2.TransportError():
            return ENDED
        case DBAPIError(orig=BaseException() as cause):
            return _of_database(cause, late)
    return _of_database(error, late)


def is_of_the_row(error: BaseException) -> bool:
    """Whether a value of the row's own makes it fail: then asking again helps nobody."""
    cause = error.orig if isinstance(error, DBAPIError) else error
    if isinstance(cause, psycopg.DataError):
        return cause.sqlstate is None or cause.sqlstate in _OF_THE_VALUE
    return isinstance(cause, RowRefused | OverflowError)


def _of_database(error: BaseException, late: str) -> str:
    """By the condition, which is the database's own word: its sentences quote values."""
    match error:
        case psycopg.Error(sqlstate=str() as state):
            if state in _LATE:
                return late
            if state.startswith(("08", "57P")):
                return ENDED
            return f"was refused by its database: {_words(error)}"
        case psycopg.OperationalError():
            return UNREACHED
        case psycopg.DataError() | OverflowError():
            return "has a value that cannot be sent or read"
        case sqlite3.Error():
            name = str(getattr(error, "sqlite_errorname", None) or type(error).__name__)
            return late if name in _LATE else f"was refused by its database: {name}"
    return f"failed with {type(error).__name__}"


def _words(error: BaseException) -> str:
    """`UndefinedTable` as `undefined table`."""
    return _CAPITAL.sub(" ", type(error).__name__).lower()
