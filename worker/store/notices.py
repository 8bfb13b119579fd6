"""Notices: what people should be told, noted once each, in the transaction of its cause."""

import json
from typing import Any

from sqlalchemy import Connection, text


def note(
    connection: Connection, kind: str, key: str, target: str, words: str, **detail: Any
) -> bool:
    """Notes an event; False when the same one (by `key`) is noted already. No message text."""
    values = {
        "kind": kind,
        "key": f"{kind}:{key}",
        "target": target,
        "words": words,
        "detail": json.dumps(detail, default=str),
    }
    return bool(connection.execute(NOTE, values).rowcount)


NOTE = text("""
INSERT INTO notices (key, kind, target, words, detail)
VALUES (:key, :kind, :target, :words, CAST(:detail AS jsonb))
ON CONFLICT (key) DO NOTHING
""")
