"""Certificates in force, at the claim and at the record: void as soon as their key is another.

Promises: an answer asked of another model, prompt, schema or effort than the certificate's is never
accepted under it; a rehearsal's certificate ends with the first real answer.
"""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from sqlalchemy import Connection, text

from models.vocabulary import Purpose
from worker.domain.claimed import Claimed, Question
from worker.domain.in_force import InForce
from worker.store.policies import VOID, standing_as
from worker.store.queue.notices import note
from worker.store.rows import as_json

PARTS = {
    "model": "model",
    "prompt_version": "prompt",
    "schema_version": "answer schema",
    "effort": "effort",
    "knowledge_version": "knowledge",
}


def keep_keys(connection: Connection, planned: Sequence[Claimed]) -> list[Claimed]:
    """The claims, those under a certificate whose key has changed with it void, in the record
    too."""
    kept = []
    for claimed in planned:
        held = claimed.candidate.policy.accept.in_force
        asked = claimed.question
        if held is not None and held.state != VOID and asked and (what := changed(asked, held)):
            void(connection, held.number, f"the {what} changed")
            policy = standing_as(claimed.candidate.policy, VOID)
            claimed = replace(claimed, candidate=replace(claimed.candidate, policy=policy))
        kept.append(claimed)
    return kept


def changed(asked: Question, held: InForce) -> str | None:
    """Which part of the key is another than the certificate's; None while it is the same."""
    if asked.purpose is not Purpose.ANSWER or asked.tier != held.tier:
        return None
    for name, words in PARTS.items():
        if (getattr(asked, name) or "") != held.key.get(name, ""):
            return words
    return None


def end_rehearsals(connection: Connection, results: Sequence[dict[str, Any]]) -> None:
    """Voids rehearsals under which a real answer was accepted."""
    real = [{"certificate": row["certificate_id"]} for row in results if not row["simulated"]]
    if real:
        for number in connection.execute(REHEARSALS, {"rows": as_json(real)}).scalars().all():
            void(connection, number, "it was a rehearsal, and real answers are given now")


def void(connection: Connection, certificate: int, why: str) -> bool:
    """Ends a certificate for good, and tells people. False when it was void already."""
    if not connection.execute(END, {"id": certificate, "why": why}).rowcount:
        return False
    words = f"Certificate {certificate} is void: {why}."
    note(
        connection,
        "certificate_void",
        key=str(certificate),
        target=f"certificate {certificate}",
        words=words,
    )
    return True


END = text("""
UPDATE certificates SET state = 'void', voided_by = :why, changed_at = clock_timestamp()
WHERE id = :id AND state <> 'void'
""")
REHEARSALS = text("""
SELECT DISTINCT c.id FROM jsonb_to_recordset(CAST(:rows AS jsonb)) AS t(certificate bigint)
JOIN certificates AS c ON c.id = t.certificate WHERE c.rehearsal AND c.state <> 'void'
""")
