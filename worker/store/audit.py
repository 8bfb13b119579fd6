"""The audit: who did what, to how many, written in the transaction of the deed."""

import json
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, text


@dataclass(frozen=True, slots=True)
class Actor:
    """Who acts: a person's name at a terminal, or a service's."""

    name: str


def audit(
    connection: Connection, actor: Actor, action: str, target: str, affected: int, **detail: Any
) -> None:
    """One row of the audit."""
    values = {
        "actor": actor.name,
        "action": action,
        "target": target,
        "affected": affected,
        "detail": json.dumps(detail, default=str),
    }
    connection.execute(AUDIT, values)


AUDIT = text("""
INSERT INTO audit_events (actor, action, target, affected, detail)
VALUES (:actor, :action, :target, :affected, CAST(:detail AS jsonb))
""")
