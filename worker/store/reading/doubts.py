"""Certificates that people should hear of."""

import datetime as dt
from dataclasses import dataclass

from sqlalchemy import Connection, text

from worker.domain.wording import clock
from worker.store.rows import values_of


@dataclass(frozen=True, slots=True, kw_only=True)
class DoubtfulCertificate:
    """A certificate in doubt, or one that is void, and by what."""

    id: int
    tier: str
    state: str
    voided_by: str | None
    changed_at: dt.datetime
    now: dt.datetime

    @property
    def words(self) -> str:
        """For people, in a sentence."""
        of = f"Certificate {self.id} ({self.tier})"
        if self.state == "amber":
            return (
                f"{of} is in doubt: its stricter threshold holds since"
                f" {clock(self.changed_at, self.now)}, and more messages climb."
            )
        return (
            f"{of} is void: {self.voided_by}. It ended at {clock(self.changed_at, self.now)}: what"
            " goes by it climbs, and no new run may go by it."
        )


def doubtful(connection: Connection) -> list[DoubtfulCertificate]:
    """Those in doubt, and those that became void within a day."""
    return values_of(DoubtfulCertificate, connection.execute(DOUBTFUL))


DOUBTFUL = text("""
SELECT id, tier, state, voided_by, changed_at, now() AS now FROM certificates
WHERE state = 'amber' OR (state = 'void' AND changed_at > now() - interval '1 day')
ORDER BY state, id DESC LIMIT 10
""")
