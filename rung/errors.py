"""What can go wrong for a program that uses Rung.

ClientError
├── CannotReach     nobody answers at the address, or not in time; it may be tried again
├── NotAllowed      no token, a wrong one, or one that may only look (401, 403)
├── NotKnown        there is no such run or job (404)
├── Conflicting     it is being done already, or not in this state (409)
├── Refused         the request is wrong, and its words say what (400, 413, 415, 422)
└── StillRunning    `wait` waited as long as it was told to
"""


class ClientError(Exception):
    """Any of them. `status` is HTTP's, where there was an answer; `retry_after_s` the seconds after
    which the server asks to be tried again, where it said them."""

    def __init__(
        self, words: str, status: int | None = None, retry_after_s: float | None = None
    ) -> None:
        super().__init__(words)
        self.status, self.retry_after_s = status, retry_after_s


class CannotReach(ClientError):
    """Nobody answers at the address, or not in time. What was submitted with a `key` may be
    submitted again: nothing is added twice."""


class NotAllowed(ClientError):
    """No token, a wrong one, or one that may only look."""


class NotKnown(ClientError):
    """There is no such run or job."""


class Conflicting(ClientError):
    """It is being done already, or the run or job is not in a state for it."""


class Refused(ClientError):
    """The request is wrong; the words say what."""


class StillRunning(ClientError):
    """The run had not ended when `wait` had waited for as long as it was told to."""


BY_STATUS: dict[int, type[ClientError]] = {
    401: NotAllowed,
    403: NotAllowed,
    404: NotKnown,
    409: Conflicting,
    429: CannotReach,
}


def error_of(status: int, words: str, retry_after_s: float | None = None) -> ClientError:
    """The error that an HTTP status means."""
    otherwise = CannotReach if status >= 500 else Refused
    return BY_STATUS.get(status, otherwise)(words, status, retry_after_s)
