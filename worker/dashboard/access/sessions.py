"""Signed cookies and CSRF tokens, by itsdangerous: nothing is stored, except who signed out.

A session names its user, its start, a nonce, and a print of what lets the user in: a changed
password, a removed user or a new token ends it at once. What is not signed is never parsed.
"""

import hashlib
import hmac
import secrets
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from itsdangerous import BadData, Signer, URLSafeSerializer

from worker.config.dashboard import DashboardSettings

COOKIE, DEVICE = "rung_session", "rung_device"
LOCAL = "local"
"""Whoever opened the address with the token in it."""
MAX_COOKIE = 1_000
CLOCKS_DIFFER_S = 60
"""Another copy of the dashboard may have made the session, by its own clock."""
DEVICE_S = 90 * 86_400


@dataclass(frozen=True, slots=True)
class Session:
    """Who signed in, when (Unix seconds), and this session's nonce."""

    name: str
    since: int
    nonce: str


class Cookies:
    """Makes and checks what only this dashboard can have made. Threads may share one."""

    def __init__(self, settings: DashboardSettings, clock: Callable[[], float] = time.time) -> None:
        given = settings.secret or settings.token
        self._key = given.get_secret_value() if given is not None else secrets.token_hex(32)
        self._settings, self._clock = settings, clock
        self._seconds = settings.session_hours * 3_600

    def begin(self, name: str) -> str:
        """The cookie's value for a user who has just signed in."""
        session = [name, int(self._clock()), secrets.token_urlsafe(12), self._print(name)]
        return self._signed("session", session)

    def read(self, cookie: str | None) -> Session | None:
        """The session behind a cookie; None when it is forged, too old, or its user gone. Whether
        it was ended is in the record."""
        found = self._unsigned("session", cookie)
        if found is None:
            return None
        name, since, nonce, print_ = found
        known = self._print(name)
        if known is None or not hmac.compare_digest(known, str(print_)):
            return None
        age = self._clock() - since
        fresh = -CLOCKS_DIFFER_S <= age <= self._seconds
        return Session(name, since, nonce) if fresh else None

    def ends_at(self, session: Session) -> float:
        """When the session would be too old by itself, in Unix seconds."""
        return session.since + self._seconds

    def csrf(self, via: str, name: str, nonce: str = "") -> str:
        """What a page of this person must send along with every change."""
        signer = Signer(self._key, "rung.csrf", key_derivation="hmac", digest_method=hashlib.sha256)
        return signer.get_signature("\0".join((via, name, nonce))).decode()

    def device(self, name: str) -> str:
        """What a browser keeps after this person signed in with it."""
        return self._signed("device", [name, secrets.token_urlsafe(12)])

    def device_of(self, name: str, cookie: str | None) -> str | None:
        """The nonce of a browser with which this person has signed in before; None for others."""
        found = self._unsigned("device", cookie)
        return str(found[1]) if found is not None and found[0] == name else None

    def set_session(self, value: str, port: int | None) -> str:
        """`Set-Cookie` for a session; an empty value forgets it."""
        age = int(self._seconds) if value else 0
        return self._set(f"{self.name(port)}={value}; Path=/", age)

    def set_device(self, value: str) -> str:
        """`Set-Cookie` for a browser that is known."""
        return self._set(f"{DEVICE}={value}; Path=/login", DEVICE_S)

    def name(self, port: int | None) -> str:
        """The session's cookie. A browser sends cookies to every port of a machine, so dashboards
        at this machine's own address need a name each."""
        return f"{COOKIE}_{port}" if self._settings.asks_for_token and port else COOKIE

    def _set(self, start: str, age: int) -> str:
        secure = "; Secure" if self._settings.https else ""
        return f"{start}; Max-Age={age}; HttpOnly; SameSite=Lax{secure}"

    def _signed(self, kind: str, value: list[object]) -> str:
        return str(self._serializer(kind).dumps(value))

    def _unsigned(self, kind: str, cookie: str | None) -> list[Any] | None:
        if not cookie or len(cookie) > MAX_COOKIE:
            return None
        try:
            found: list[Any] = self._serializer(kind).loads(cookie)
        except BadData:
            return None
        return found

    def _serializer(self, kind: str) -> URLSafeSerializer:
        how = {"key_derivation": "hmac", "digest_method": hashlib.sha256}
        return URLSafeSerializer(self._key, f"rung.{kind}", signer_kwargs=how)

    def _print(self, name: str) -> str | None:
        """Of what lets this user in; None when nothing does."""
        settings = self._settings
        if settings.asks_for_token:
            secret = settings.token if name == LOCAL else None
        else:
            user = settings.users.get(name)
            secret = user.password if user is not None else None
        if secret is None:
            return None
        return hashlib.sha256(secret.get_secret_value().encode()).hexdigest()[:16]
