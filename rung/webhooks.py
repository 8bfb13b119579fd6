"""Signed webhooks, as Standard Webhooks describes them (standardwebhooks.com, specification 1.0).

`webhook-id` names the event and stays the same when it is sent again, so a receiver can drop
repeats; `webhook-signature` is an HMAC-SHA256 over id, timestamp and body.
"""

import base64
import binascii
import hashlib
import hmac
import json
import time
from collections.abc import Mapping
from typing import Any

from rung.errors import NotAllowed

PREFIX = "whsec_"
VERSION = "v1"
TOLERANCE_S = 300
"""A receiver takes no message that is older, or that much from the future."""


def verify(secret: str, headers: Mapping[str, str], body: bytes) -> Mapping[str, Any]:
    """The document of a delivery, for programs that receive them. Raises NotAllowed when it was not
    signed with this secret, or is older than five minutes."""
    given = {name.lower(): value for name, value in headers.items()}
    try:
        named, at = given["webhook-id"], int(given["webhook-timestamp"])
        signatures = given["webhook-signature"]
    except (KeyError, ValueError):
        raise NotAllowed("This is no signed delivery.") from None
    if not is_signed(secret, named, at, body, signatures, time.time()):
        raise NotAllowed("The signature is not right, or the delivery is old.")
    document: Mapping[str, Any] = json.loads(body)
    return document


def signature(secret: str, webhook_id: str, timestamp: int, body: bytes) -> str:
    """What goes into `webhook-signature`. `timestamp` is in Unix seconds."""
    signed = f"{webhook_id}.{timestamp}.".encode() + body
    made = hmac.new(key_of(secret), signed, hashlib.sha256).digest()
    return f"{VERSION},{base64.b64encode(made).decode()}"


def is_signed(
    secret: str, webhook_id: str, timestamp: int, body: bytes, signatures: str, now: float
) -> bool:
    """Whether one of the space-separated `signatures` is right, and the message recent."""
    if abs(now - timestamp) > TOLERANCE_S:
        return False
    wanted = signature(secret, webhook_id, timestamp, body).encode()
    return any(hmac.compare_digest(wanted, given.encode()) for given in signatures.split())


def key_of(secret: str) -> bytes:
    """The key: base64 behind `whsec_`, or the text itself. Raises ValueError for bad base64."""
    if not secret.startswith(PREFIX):
        return secret.encode()
    try:
        return base64.b64decode(secret.removeprefix(PREFIX), validate=True)
    except binascii.Error:
        raise ValueError("behind whsec_ stands no base64") from None
