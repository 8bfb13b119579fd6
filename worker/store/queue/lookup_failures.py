"""Look-ups that bring nothing: written down by workers, said by every screen."""

import datetime as dt
from collections.abc import Collection, Mapping
from dataclasses import dataclass

from sqlalchemy import Connection, Engine, text

from worker.domain.looked_up import NOT_CONFIGURED
from worker.domain.wording import span
from worker.store.rows import values_of

FORGOTTEN_S = 720.0
"""A failure that nobody met for so long is of a run that has ended: while messages
wait for a look-up, one of them asks again within a minute."""
LOGS = "the workers' logs have more"
FOLLOWS = {
    "wait": "messages wait for it, and it is asked again within a minute",
    "without": "messages are answered without it",
    "person": "messages go to people",
}
CALM_S = 30.0
"""A look-up that works for some messages and fails for others goes on being said for so long."""


@dataclass(frozen=True, slots=True, kw_only=True)
class FailingLookup:
    """A look-up that fails: for what, what follows (`wait`, `without` or `person`), since when."""

    name: str
    why: str
    on_failure: str
    since: dt.datetime
    seconds: float

    @property
    def words(self) -> str:
        """`Look-up orders is not configured here, for 4 min: …`, a whole sentence."""
        unknown = self.why == NOT_CONFIGURED
        fix = f"configure [lookups.{self.name}] in the workers' rung.toml" if unknown else LOGS
        follows = f"{FOLLOWS[self.on_failure]}; {fix}"
        if self.on_failure == "wait":
            follows += ", or cancel what waits (rung cancel RUN)"
        return f"Look-up {self.name} {self.why}, for {span(round(self.seconds))} now: {follows}."


def note_lookups(
    engine: Engine, failed: Mapping[str, tuple[str, str]], worked: Collection[str]
) -> list[str]:
    """`failed` says why and what follows, by look-up; `worked` are those that brought something.
    Returns those that had failed and have been well for a while."""
    values = {
        "names": sorted(failed),
        "whys": [failed[name][0] for name in sorted(failed)],
        "thens": [failed[name][1] for name in sorted(failed)],
        "worked": sorted(set(worked) - set(failed)),
        "calm": CALM_S,
        "forgotten": FORGOTTEN_S,
    }
    with engine.begin() as connection:
        if failed:
            connection.execute(FAILED, values)
        if not values["worked"]:
            return []
        return list(connection.execute(WORKED, values).scalars())


def failing_lookups(connection: Connection) -> list[FailingLookup]:
    """Those that fail just now, the oldest first."""
    return values_of(FailingLookup, connection.execute(FAILING, {"forgotten": FORGOTTEN_S}))


# In the order of names: two workers that write at once never wait for each other in a circle.
FAILED = text("""
INSERT INTO lookup_failures AS f (name, why, on_failure)
SELECT name, why, follows FROM unnest(
  CAST(:names AS text[]), CAST(:whys AS text[]), CAST(:thens AS text[])) AS t(name, why, follows)
ORDER BY name
ON CONFLICT (name) DO UPDATE SET why = excluded.why, on_failure = excluded.on_failure,
  last_at = excluded.last_at,
  since = CASE WHEN f.last_at < now() - make_interval(secs => :forgotten)
    THEN excluded.since ELSE f.since END
""")
WORKED = text("""
DELETE FROM lookup_failures
WHERE name = ANY(:worked) AND last_at < now() - make_interval(secs => :calm)
RETURNING name
""")
FAILING = text("""
SELECT name, why, on_failure, since, extract(epoch FROM now() - since)::float8 AS seconds
FROM lookup_failures WHERE last_at > now() - make_interval(secs => :forgotten)
ORDER BY since, name
""")
