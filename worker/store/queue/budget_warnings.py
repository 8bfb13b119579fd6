"""Warnings as a budget's money runs out.

Promises: each of 50, 80 and 100 % is said once for a cap, in the transaction that reached it; a
raised cap is warned about anew, and each level goes by what is spent.
"""

import logging
from decimal import Decimal

from sqlalchemy import Connection, text

from worker.domain.wording import dollars
from worker.store.audit import RUNG, audit
from worker.store.queue import notices

log = logging.getLogger(__name__)
EXHAUSTED = 100


def warn(
    connection: Connection, scope: str, percent: int, spent: Decimal, cap: Decimal | None
) -> None:
    """Says that `percent` of a budget is used up: a log line, an audit event and a notice."""
    target = connection.execute(NAME, {"scope": scope}).scalar_one()
    detail = {"percent": percent, "spent_usd": spent, "budget_usd": cap}
    audit(connection, RUNG, "budget warning", target, 1, **detail)
    share = "All" if percent >= EXHAUSTED else f"{percent} %"
    sums = f"{dollars(spent)} of {dollars(cap or Decimal(0))}"
    words = f"{share} of the budget of {target} is spent: {sums}."
    figures = {name: str(value) for name, value in detail.items()}
    log.warning("budget", extra={"budget": target, "words": words, **figures})
    notices.note(
        connection, "budget", key=f"{scope}:{percent}:{cap}", target=target, words=words, **detail
    )


NAME = text("""
SELECT coalesce('run ' || r.name, 'day ' || b.day)
FROM budgets AS b LEFT JOIN runs AS r ON r.id = b.run_id WHERE b.scope = :scope
""")
