"""Signed session cookies and CSRF tokens: nothing is stored, except who signed out.

A session names its user, its start and a nonce; its signature covers the user's password hash, so
a changed password or a removed user ends it at once.
"""

import base64
import binascii
import hashlib
import hmac
import json
import secrets
import time
from collections.abc import Callable
from dataclasses import dataclass

from worker.config.dashboard import DashboardSettings

COOKIE = "rung_session"
MAX_COOKIE = 1_000
CLOCKS_DIFFER_S = 60
"""Another copy of the dashboard may have made the session, by its own clock."""


@dataclass(frozen=True, slots=True)
class Session:
    """Who signed in, when (Unix seconds), and this session's nonce."""

    name: str
    since: int
    nonce: str


class Signer:
    """Makes and checks what only this dashboard can have made. Threads may share one."""

    def __init__(self, settings: DashboardSettings, clock: Callable[[], float] = time.time) -> None:
        given = settings.secret.get_secret_value() if settings.secret is not None else ""
        self._key = hashlib.sha256(given.encode()).digest() if given else secrets.token_bytes(32)
        self._settings, self._clock = settings, clock
        self._seconds = settings.session_hours * 3_600
        self._ended: dict[str, float] = {}

    def begin(self, name: str) -> str:
        """The cookie's value for a user who has just signed in."""
        session = [name, int(self._clock()), secrets.token_urlsafe(12)]
        payload = base64.urlsafe_b64encode(json.dumps(session).encode()).decode()
        return f"{payload}.{self._signature(payload, name)}"

    def read(self, cookie: str) -> Session | None:
        """The session behind a cookie; None when it is forged, too old, ended, or its user gone."""
        payload, _, signature = cookie.partition(".")
        try:
            name, since, nonce = json.loads(base64.urlsafe_b64decode(payload))
            session = Session(str(name), int(since), str(nonce))
        except (ValueError, TypeError, binascii.Error):
            return None
        if len(cookie) > MAX_COOKIE or session.name not in self._settings.users:
            return None
        expected = self._signature(payload, session.name)
        if not hmac.compare_digest(expected.encode(), signature.encode()):
            return None
        age = self._clock() - session.since
        fresh = -CLOCKS_DIFFER_S <= age <= self._seconds
        return session if fresh and session.nonce not in self._ended else None

    def end(self, session: Session) -> None:
        """Signs out: the cookie is worth nothing any more, whoever has kept it."""
        now = self._clock()
        self._ended = {nonce: until for nonce, until in self._ended.items() if until > now}
        self._ended[session.nonce] = session.since + self._seconds

    def csrf(self, via: str, name: str, nonce: str = "") -> str:
        """What a page of this person must send along with every change."""
        return self._mac("csrf", via, name, nonce)

    def set_cookie(self, value: str) -> str:
        """`Set-Cookie` for a session; an empty value forgets it."""
        age = int(self._seconds) if value else 0
        secure = "; Secure" if self._settings.https else ""
        return f"{COOKIE}={value}; Path=/; Max-Age={age}; HttpOnly; SameSite=Lax{secure}"

    def _signature(self, payload: str, name: str) -> str:
        user = self._settings.users.get(name)
        return self._mac("session", payload, user.password.get_secret_value() if user else "")

    def _mac(self, *parts: str) -> str:
        return hmac.new(self._key, "\0".join(parts).encode(), hashlib.sha256).hexdigest()
