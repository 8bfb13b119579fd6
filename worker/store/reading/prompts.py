"""Prompt versions: what each says, which runs began with it, and what its calls came to. Read from
runs and the ledger's sums, so nothing here grows with the number of jobs."""

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal

from sqlalchemy import Connection, text

from worker.errors import Missing
from worker.store.rows import values_of


@dataclass(frozen=True, slots=True, kw_only=True)
class PromptUse:
    """One version. `part` is `answer`, `classify`, `check` or `judge`; tokens and dollars are those
    of the calls that ended well in the runs that began with it."""

    version: str
    part: str
    chars: int
    created_at: dt.datetime
    policies: Sequence[str]
    runs: int
    newest_run: str | None
    calls: int
    input_tokens: int
    cached_tokens: int
    output_tokens: int
    cost: Decimal
    simulated: bool

    @property
    def per_thousand(self) -> Decimal | None:
        """Dollars for a thousand calls."""
        return self.cost / self.calls * 1_000 if self.calls else None


def prompt_uses(connection: Connection) -> list[PromptUse]:
    """Every version that is known, newest first; with pages behind it a prompt counts as itself."""
    return values_of(PromptUse, connection.execute(USES))


def prompt_text(connection: Connection, version: str) -> str:
    """What a version says; a beginning of it is enough where it is the only one. Raises Missing."""
    found = connection.execute(TEXT, {"version": version}).scalars().all()
    if len(found) != 1:
        many = "more than one prompt" if found else "no prompt"
        raise Missing(f"There is {many} {version!r}.", mend="rung prompts")
    return str(found[0])


USES = text("""
WITH used AS (
  SELECT r.id, r.name, r.policy_name, part.key AS part, part.value AS version,
    CASE part.key WHEN 'judge' THEN 'answer' ELSE part.key END AS purpose
  FROM runs AS r CROSS JOIN LATERAL jsonb_each_text(r.prompts) AS part
  WHERE part.key <> CASE r.kind WHEN 'judge' THEN 'answer' ELSE 'judge' END
), summed AS (
  SELECT u.version, min(u.part) AS part, array_agg(DISTINCT u.policy_name) AS policies,
    count(DISTINCT u.id) AS runs,
    (array_agg(u.name ORDER BY u.id DESC))[1] AS newest_run,
    coalesce(sum(s.calls), 0)::bigint AS calls,
    coalesce(sum(s.input_tokens + s.cache_write_5m_tokens + s.cache_write_1h_tokens), 0)::bigint
      AS input_tokens,
    coalesce(sum(s.cache_read_tokens), 0)::bigint AS cached_tokens,
    coalesce(sum(s.output_tokens), 0)::bigint AS output_tokens,
    coalesce(sum(s.cost), 0) AS cost, coalesce(bool_or(s.simulated), false) AS simulated
  FROM used AS u
  LEFT JOIN run_spend AS s ON s.run_id = u.id AND s.purpose = u.purpose AND s.state = 'done'
  GROUP BY u.version
)
SELECT p.version, coalesce(s.part, p.purpose) AS part, length(p.text) AS chars, p.created_at,
  coalesce(s.policies, '{}') AS policies, coalesce(s.runs, 0) AS runs, s.newest_run,
  coalesce(s.calls, 0) AS calls, coalesce(s.input_tokens, 0) AS input_tokens,
  coalesce(s.cached_tokens, 0) AS cached_tokens, coalesce(s.output_tokens, 0) AS output_tokens,
  coalesce(s.cost, 0) AS cost, coalesce(s.simulated, false) AS simulated
FROM prompts AS p LEFT JOIN summed AS s ON s.version = p.version
WHERE p.base IS NULL
ORDER BY p.created_at DESC, p.version
""")
TEXT = text("""
SELECT text FROM prompts WHERE starts_with(version, :version) ORDER BY version LIMIT 2
""")
