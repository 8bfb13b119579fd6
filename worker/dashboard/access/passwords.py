"""Password and token hashes: made by `rung dashboard hash` and `rung dashboard token`.

A password is slow to try (scrypt, 16 MB and about 50 ms); a token has 256 bits of its own, so a
plain hash keeps it. Both are compared in constant time.
"""

import base64
import hashlib
import hmac
import secrets

N, R, P = 2**14, 8, 1
SALT_BYTES, KEY_BYTES, TOKEN_BYTES = 16, 32, 32
MEMORY = 64 * 1024 * 1024
MAX_N = 2**17
MAX_PASSWORD = 1_024
TOKEN_PREFIX = "rung_"  # noqa: S105 - so that scanners of leaked secrets recognise one


def hash_password(password: str) -> str:
    """`scrypt:N:R:P:SALT:KEY`. No `$`, which Compose files and shells would take for a variable."""
    salt = secrets.token_bytes(SALT_BYTES)
    return ":".join(["scrypt", str(N), str(R), str(P), _text(salt), _text(_key(password, salt))])


NOBODY = f"scrypt:{N}:{R}:{P}:{'A' * 22}:{'A' * 43}"
"""Verified against when there is no such user, so that this takes as long as a wrong password."""


def verify_password(password: str, stored: str) -> bool:
    """Whether the password is the one that was hashed. False for anything that is no hash."""
    if len(password) > MAX_PASSWORD:
        return False
    try:
        kind, n, r, p, salt, key = stored.split(":")
        if kind != "scrypt" or int(n) > MAX_N:
            return False
        tried = _key(password, _bytes(salt), int(n), int(r), int(p))
    except ValueError:
        return False
    return hmac.compare_digest(tried, _bytes(key))


def new_token() -> str:
    """A fresh token for a program."""
    return TOKEN_PREFIX + secrets.token_urlsafe(TOKEN_BYTES)


def hash_token(token: str) -> str:
    """SHA-256 of a token, in hexadecimal."""
    return hashlib.sha256(token.encode()).hexdigest()


def same(one: str, other: str) -> bool:
    """Equality that takes as long wherever the first difference is."""
    return hmac.compare_digest(one.encode(), other.encode())


def _key(password: str, salt: bytes, n: int = N, r: int = R, p: int = P) -> bytes:
    secret = password.encode("utf-8", "surrogatepass")
    return hashlib.scrypt(secret, salt=salt, n=n, r=r, p=p, maxmem=MEMORY * 4, dklen=KEY_BYTES)


def _text(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).decode().rstrip("=")


def _bytes(text: str) -> bytes:
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))
