"""Password and token hashes: made by `rung dashboard hash` and `rung dashboard token`.

A password is slow to try (Argon2id, 19 MiB and some 30 ms); a token has 256 bits of its own, so a
plain hash keeps it. Both are compared in constant time.
"""

import base64
import hashlib
import hmac
import secrets

from argon2 import PasswordHasher
from argon2.exceptions import Argon2Error, InvalidHashError

HASHER = PasswordHasher(time_cost=2, memory_cost=19_456, parallelism=1)
"""OWASP's parameters for Argon2id, of November 2026."""
SCRYPT_MEMORY, SCRYPT_MAX_N = 256 * 1024 * 1024, 2**17
MAX_PASSWORD = 1_024
TOKEN_BYTES = 32
TOKEN_PREFIX = "rung_"  # noqa: S105 - so that scanners of leaked secrets recognise one


def hash_password(password: str) -> str:
    """`argon2id:v=19:m=…,t=…,p=…:SALT:KEY`: Argon2's own form with colons, for Compose files and
    shells would take its `$` for a variable."""
    return HASHER.hash(_bytes_of(password)).lstrip("$").replace("$", ":")


NOBODY = f"argon2id:v=19:m={HASHER.memory_cost},t={HASHER.time_cost},p=1:{'A' * 22}:{'A' * 43}"
"""Verified against when there is no such user, so that this takes as long as a wrong password."""


def verify_password(password: str, stored: str) -> bool:
    """Whether the password is the one that was hashed. False for anything that is no hash."""
    if len(password) > MAX_PASSWORD:
        return False
    if stored.startswith("scrypt:"):
        return _verify_scrypt(password, stored)
    try:
        return HASHER.verify(_argon2(stored), _bytes_of(password))
    except (Argon2Error, InvalidHashError):
        return False


def is_old(stored: str) -> bool:
    """Whether it was made with other parameters than today's: good, but better made anew."""
    return stored.startswith("scrypt:") or HASHER.check_needs_rehash(_argon2(stored))


def new_token() -> str:
    """A fresh token for a program."""
    return TOKEN_PREFIX + secrets.token_urlsafe(TOKEN_BYTES)


def hash_token(token: str) -> str:
    """SHA-256 of a token, in hexadecimal."""
    return hashlib.sha256(token.encode()).hexdigest()


def same(one: str, other: str) -> bool:
    """Equality that takes as long wherever the first difference is."""
    return hmac.compare_digest(one.encode(), other.encode())


def _argon2(stored: str) -> str:
    """Argon2's own form of a stored hash."""
    return stored if stored.startswith("$") else "$" + stored.replace(":", "$")


def _verify_scrypt(password: str, stored: str) -> bool:
    """An older hash: `scrypt:N:R:P:SALT:KEY`."""
    try:
        _, n, r, p, salt, key = stored.split(":")
        cost = {"n": int(n), "r": int(r), "p": int(p)}
        if cost["n"] > SCRYPT_MAX_N:
            return False
        known = _decoded(key)
        tried = hashlib.scrypt(
            _bytes_of(password),
            salt=_decoded(salt),
            maxmem=SCRYPT_MEMORY,
            dklen=len(known),
            **cost,
        )
    except ValueError:
        return False
    return hmac.compare_digest(tried, known)


def _bytes_of(password: str) -> bytes:
    return password.encode("utf-8", "surrogatepass")


def _decoded(text: str) -> bytes:
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))
