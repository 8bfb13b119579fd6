"""What Claude has counted for the fixed part of requests, kept for every process and restart."""

from collections.abc import Mapping

from sqlalchemy import Connection, text

from models.vocabulary import Purpose
from worker.domain.prompts import RequestKind
from worker.store.rows import as_json


def keep_counted(
    connection: Connection, counted: Mapping[RequestKind, int], *, simulated: bool
) -> None:
    """Keeps tokens by kind of request, over what was known."""
    rows = [
        {
            "purpose": kind.purpose,
            "model": kind.model,
            "prompt_version": kind.prompt_version,
            "schema_version": kind.schema_version,
            "tokens": tokens,
        }
        for kind, tokens in sorted(counted.items())
    ]
    if rows:
        connection.execute(KEEP, {"rows": as_json(rows), "simulated": simulated})


def counted_inputs(connection: Connection, *, simulated: bool) -> dict[RequestKind, int]:
    """All that is known of Claude, or of the simulator."""
    rows = connection.execute(KNOWN, {"simulated": simulated})
    return {
        RequestKind(
            purpose=Purpose(row.purpose),
            model=row.model,
            prompt_version=row.prompt_version,
            schema_version=row.schema_version,
        ): (row.tokens)
        for row in rows
    }


KEEP = text("""
INSERT INTO counted_inputs (purpose, model, prompt_version, schema_version, simulated, tokens)
SELECT purpose, model, prompt_version, schema_version, :simulated, tokens
FROM jsonb_to_recordset(CAST(:rows AS jsonb))
  AS t(purpose text, model text, prompt_version text, schema_version text, tokens int)
ON CONFLICT (purpose, model, prompt_version, schema_version, simulated)
DO UPDATE SET tokens = excluded.tokens, counted_at = now()
""")

KNOWN = text("""
SELECT purpose, model, prompt_version, schema_version, tokens FROM counted_inputs
WHERE simulated = :simulated
""")
