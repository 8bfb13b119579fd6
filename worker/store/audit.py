"""The audit: who did what, to how many, written in the transaction of the deed."""

import json
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, Engine, text


@dataclass(frozen=True, slots=True)
class Actor:
    """Who acts: a person's name at a terminal, or a service's."""

    name: str


RUNG = Actor("rung")
"""What Rung does of itself."""


@dataclass(frozen=True, slots=True)
class Done:
    """A deed as the audit has it: to what, to how many, and its number there."""

    target: str
    affected: int
    event: int


def audit(
    connection: Connection, actor: Actor, action: str, target: str, affected: int, **detail: Any
) -> Done:
    """One row of the audit."""
    values = {
        "actor": actor.name,
        "action": action,
        "target": target,
        "affected": affected,
        "detail": json.dumps(detail, default=str),
    }
    return Done(target, affected, connection.execute(AUDIT, values).scalar_one())


def audit_reading(engine: Engine, actor: Actor, target: str, jobs: int = 1) -> None:
    """Somebody asked for what customers wrote: that is audited before it is shown."""
    with engine.begin() as connection:
        audit(connection, actor, "read text", target, jobs)


AUDIT = text("""
INSERT INTO audit_events (actor, action, target, affected, detail)
VALUES (:actor, :action, :target, :affected, CAST(:detail AS jsonb)) RETURNING id
""")
