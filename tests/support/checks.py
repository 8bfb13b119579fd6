"""Every promise of the design as SQL that finds what breaks it: a row is a violation.

Each statement selects one text column, names what is wrong, and never quotes a message. Those of
`ALWAYS` hold between any two transactions; those of `AT_REST` hold once everything has settled.
"""

from dataclasses import dataclass

LADDER = ("haiku", "sonnet", "opus")
"""The tiers of the runs that are checked, cheapest first."""


@dataclass(frozen=True, slots=True)
class Check:
    """One thing that must not be found."""

    name: str
    promise: int
    """Number of the promise in the design's list."""
    sql: str


def _rung(tier: str) -> str:
    return f"array_position(CAST(:ladder AS text[]), {tier})"


ALWAYS = (
    Check(
        "a terminal job is let go",
        1,
        """SELECT 'job ' || id || ' is ' || state || ' and still held' FROM jobs
        WHERE finished_at IS NOT NULL
          AND (lease_until IS NOT NULL OR id IN (SELECT job_id FROM dispatches))""",
    ),
    Check(
        "a finished run has no open job",
        1,
        """SELECT 'run ' || r.id || ' is ' || r.state || ', job ' || j.id || ' is ' || j.state
        FROM runs AS r JOIN jobs AS j ON j.run_id = r.id
        WHERE r.state = 'finished' AND j.finished_at IS NULL""",
    ),
    Check(
        "a lease has its attempt",
        4,
        """SELECT 'job ' || j.id || ' is leased without an open attempt' FROM jobs AS j
        LEFT JOIN attempts AS a ON a.job_id = j.id AND a.fence = j.fence AND a.outcome = 'started'
        WHERE j.lease_until IS NOT NULL AND a.job_id IS NULL""",
    ),
    Check(
        "the fence counts attempts",
        4,
        """SELECT 'job ' || j.id || ' has fence ' || j.fence || ' and attempts '
          || count(a.fence) || ' up to ' || coalesce(max(a.fence), 0)
        FROM jobs AS j LEFT JOIN attempts AS a ON a.job_id = j.id
        GROUP BY j.id HAVING j.fence <> count(a.fence) OR j.fence <> coalesce(max(a.fence), 0)""",
    ),
    Check(
        "one attempt at a time",
        4,
        """SELECT 'job ' || job_id || ' has ' || count(*) || ' open attempts' FROM attempts
        WHERE outcome = 'started' GROUP BY job_id HAVING count(*) > 1""",
    ),
    Check(
        "answered means one accepted result",
        3,
        """SELECT 'job ' || j.id || ' is ' || j.state || ' with'
          || CASE WHEN r.job_id IS NULL THEN 'out a' WHEN r.accepted THEN ' an accepted'
            ELSE ' a best-effort' END || ' result'
        FROM jobs AS j LEFT JOIN results AS r ON r.job_id = j.id
        WHERE CASE j.state WHEN 'answered' THEN r.accepted IS NOT TRUE
          WHEN 'review' THEN r.accepted IS TRUE ELSE r.job_id IS NOT NULL END""",
    ),
    Check(
        "a result comes from a paid answer",
        3,
        """SELECT 'the result of job ' || r.job_id || ' has no answered call' FROM results AS r
        JOIN attempts AS a USING (job_id, fence)
        LEFT JOIN calls AS c ON c.job_id = r.job_id AND c.purpose = 'answer'
          AND c.fence = coalesce(a.answer_fence, r.fence) AND c.state = 'done' AND c.model = r.model
        WHERE c.job_id IS NULL""",
    ),
    Check(
        "a closed attempt has no open call",
        4,
        """SELECT 'call ' || c.purpose || ' of job ' || c.job_id || ' fence ' || c.fence
          || ' is open, its attempt ' || a.outcome
        FROM calls AS c JOIN attempts AS a USING (job_id, fence)
        WHERE c.state = 'sent' AND a.outcome <> 'started'""",
    ),
    Check(
        "a lost or failed call that may be billed has its worst case",
        4,
        """SELECT 'call ' || purpose || ' of job ' || job_id || ' is lost at no cost' FROM calls
        WHERE state = 'lost' AND cost IS DISTINCT FROM worst_cost AND NOT unpriced""",
    ),
    Check(
        "settled and reserved stay under the cap",
        5,
        """SELECT scope || ': ' || spent || ' + ' || reserved || ' of ' || cap FROM budgets
        WHERE spent + reserved > cap""",
    ),
    Check(
        "nothing is billed beyond its worst case",
        5,
        """SELECT 'attempt ' || job_id || '.' || fence || ' cost ' || cost || ' of ' || reserved
        FROM attempts WHERE cost > reserved
        UNION ALL SELECT scope || ' overran by ' || overrun FROM budgets WHERE overrun > 0""",
    ),
    Check(
        "a run's budget reserves what is open",
        5,
        """SELECT b.scope || ' reserves ' || b.reserved || ', open are ' || coalesce(o.open, 0)
        FROM budgets AS b LEFT JOIN (
          SELECT j.run_id, sum(a.reserved) AS open FROM attempts AS a
          JOIN jobs AS j ON j.id = a.job_id WHERE a.outcome = 'started' GROUP BY 1
        ) AS o ON o.run_id = b.run_id
        WHERE b.run_id IS NOT NULL AND b.reserved <> coalesce(o.open, 0)""",
    ),
    Check(
        "a day's budget reserves what is open",
        5,
        """SELECT b.scope || ' reserves ' || b.reserved || ', open are ' || coalesce(o.open, 0)
        FROM budgets AS b LEFT JOIN (
          SELECT budget_day, sum(reserved) AS open FROM attempts
          WHERE outcome = 'started' GROUP BY 1
        ) AS o ON o.budget_day = b.day
        WHERE b.day IS NOT NULL AND b.reserved <> coalesce(o.open, 0)""",
    ),
    Check(
        "a run's budget spent what its calls cost",
        5,
        """SELECT b.scope || ' spent ' || b.spent || ', its calls ' || coalesce(c.cost, 0)
        FROM budgets AS b LEFT JOIN (
          SELECT j.run_id, sum(c.cost) AS cost FROM calls AS c JOIN jobs AS j ON j.id = c.job_id
          WHERE c.state <> 'sent' GROUP BY 1
        ) AS c ON c.run_id = b.run_id
        WHERE b.run_id IS NOT NULL AND b.spent <> coalesce(c.cost, 0)""",
    ),
    Check(
        "a day's budget spent what its attempts cost",
        5,
        """SELECT b.scope || ' spent ' || b.spent || ', its attempts ' || coalesce(a.cost, 0)
        FROM budgets AS b LEFT JOIN (
          SELECT budget_day, sum(cost) AS cost FROM attempts GROUP BY 1
        ) AS a ON a.budget_day = b.day
        WHERE b.day IS NOT NULL AND b.spent <> coalesce(a.cost, 0)""",
    ),
    Check(
        "an attempt costs what its calls cost",
        4,
        """SELECT 'attempt ' || a.job_id || '.' || a.fence || ' cost ' || a.cost || ', its calls '
          || coalesce(sum(c.cost), 0)
        FROM attempts AS a LEFT JOIN calls AS c ON c.job_id = a.job_id AND c.fence = a.fence
          AND c.state <> 'sent'
        GROUP BY a.job_id, a.fence HAVING a.cost <> coalesce(sum(c.cost), 0)""",
    ),
    Check(
        "a job costs what its attempts cost",
        4,
        """SELECT 'job ' || j.id || ' cost ' || j.cost || ', its attempts '
          || coalesce(sum(a.cost), 0)
        FROM jobs AS j LEFT JOIN attempts AS a ON a.job_id = j.id
        GROUP BY j.id HAVING j.cost <> coalesce(sum(a.cost), 0)""",
    ),
    Check(
        "an escalation rises",
        6,
        f"""SELECT 'job ' || job_id || ' fell from ' || from_tier || ' to ' || to_tier
        FROM escalations
        WHERE to_tier <> 'person' AND {_rung("to_tier")} <= {_rung("from_tier")}""",
    ),
    Check(
        "the tier only rises",
        6,
        f"""SELECT 'job ' || job_id || ' was answered at ' || tier || ' after ' || before
        FROM (
          SELECT job_id, tier, lag(tier) OVER (PARTITION BY job_id ORDER BY fence) AS before
          FROM attempts WHERE stage = 'answer'
        ) AS steps WHERE {_rung("tier")} < {_rung("before")}
        UNION ALL
        SELECT 'job ' || j.id || ' stands at ' || j.tier || ', tried at ' || a.tier
        FROM jobs AS j JOIN attempts AS a ON a.job_id = j.id AND a.stage = 'answer'
        WHERE {_rung("j.tier")} < {_rung("a.tier")}""",
    ),
    Check(
        "a decision is written before the call that it causes",
        6,
        f"""SELECT 'the call at ' || c.tier || ' of job ' || c.job_id || ' has no earlier decision'
        FROM (
          SELECT c.job_id, c.fence, c.tier, c.sent_at, a.stage,
            lag(c.tier) OVER (PARTITION BY c.job_id ORDER BY c.fence) AS before
          FROM calls AS c JOIN attempts AS a USING (job_id, fence) WHERE c.purpose = 'answer'
        ) AS c
        WHERE {_rung("c.tier")} > {_rung("c.before")} AND NOT EXISTS (
          SELECT FROM escalations AS e WHERE e.job_id = c.job_id AND e.fence < c.fence
            AND e.to_tier = c.tier AND e.at <= c.sent_at)
        UNION ALL
        SELECT 'job ' || a.job_id || ' was answered without a start' FROM attempts AS a
        WHERE a.stage = 'answer' AND NOT EXISTS (
          SELECT FROM attempts AS r WHERE r.job_id = a.job_id AND r.stage = 'route'
            AND r.outcome = 'routed' AND r.fence < a.fence AND r.finished_at <= a.claimed_at)
        UNION ALL
        SELECT 'the call of job ' || c.job_id || ' precedes its attempt'
        FROM calls AS c JOIN attempts AS a USING (job_id, fence) WHERE c.sent_at < a.claimed_at""",
    ),
    Check(
        "failures end a job at the third",
        7,
        """SELECT 'job ' || id || ' is ' || state || ' after ' || failures || ' failures' FROM jobs
        WHERE failures >= 3 AND finished_at IS NULL""",
    ),
    Check(
        "what is deferred uses nothing up",
        7,
        """SELECT 'job ' || j.id || ' counts ' || j.attempts || ' attempts, used up are '
          || count(a.fence)
        FROM jobs AS j LEFT JOIN attempts AS a ON a.job_id = j.id
          AND a.outcome NOT IN ('started', 'deferred')
        GROUP BY j.id HAVING j.attempts > count(a.fence)""",
    ),
)

AT_REST = (
    Check(
        "every job is terminal",
        1,
        """SELECT 'job ' || id || ' is ' || state FROM jobs
        WHERE state <> ALL(CAST(:allowed AS text[]))""",
    ),
    Check(
        "every attempt is closed",
        4,
        """SELECT 'attempt ' || job_id || '.' || fence || ' is open' FROM attempts
        WHERE outcome = 'started'""",
    ),
    Check(
        "every call is closed",
        4,
        """SELECT 'call ' || job_id || '.' || fence || '.' || purpose || ' is open' FROM calls
        WHERE state = 'sent'""",
    ),
    Check(
        "nothing is reserved",
        5,
        "SELECT scope || ' reserves ' || reserved FROM budgets WHERE reserved <> 0",
    ),
    Check(
        "nothing is held",
        1,
        """SELECT 'job ' || id || ' is leased' FROM jobs WHERE lease_until IS NOT NULL""",
    ),
)
