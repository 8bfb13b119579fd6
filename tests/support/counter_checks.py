"""What the tallies must hold between any two transactions: what the rows say that they count."""

from tests.support.checks import Check

COUNTED = (
    Check(
        "the tally of spend is the ledger",
        4,
        """SELECT 'the tally of ' || coalesce(s.run_id, c.run_id) || ' '
          || coalesce(s.tier, c.tier) || ' ' || coalesce(s.state, c.state) || ' is '
          || coalesce(s.calls, 0) || ' calls, ' || coalesce(s.cost, 0) || '; the ledger has '
          || coalesce(c.calls, 0) || ', ' || coalesce(c.cost, 0)
        FROM (
          SELECT run_id, tier, state, sum(calls) AS calls, sum(cost) AS cost,
            sum(input_tokens) AS input, sum(output_tokens) AS output
          FROM run_spend GROUP BY 1, 2, 3
        ) AS s FULL JOIN (
          SELECT j.run_id, c.tier, c.state, count(*) AS calls, sum(c.cost) AS cost,
            sum(c.input_tokens) AS input, sum(c.output_tokens) AS output
          FROM calls AS c JOIN jobs AS j ON j.id = c.job_id WHERE c.state <> 'sent'
          GROUP BY 1, 2, 3
        ) AS c ON (s.run_id, s.tier, s.state) = (c.run_id, c.tier, c.state)
        WHERE (coalesce(s.calls, 0), coalesce(s.cost, 0), coalesce(s.input, 0),
            coalesce(s.output, 0))
          <> (coalesce(c.calls, 0), coalesce(c.cost, 0), coalesce(c.input, 0),
            coalesce(c.output, 0))""",
    ),
    Check(
        "the counts of jobs are the jobs",
        1,
        """SELECT 'run ' || coalesce(c.run_id, j.run_id) || ' counts ' || coalesce(c.jobs, 0)
          || ' ' || coalesce(c.state, j.state) || ', there are ' || coalesce(j.jobs, 0)
        FROM run_counts AS c FULL JOIN (
          SELECT run_id, state, coalesce(tier, '') AS tier, count(*) AS jobs FROM jobs
          GROUP BY 1, 2, 3
        ) AS j ON (c.run_id, c.state, c.tier) = (j.run_id, j.state, j.tier)
        WHERE coalesce(c.jobs, 0) <> coalesce(j.jobs, 0)""",
    ),
    Check(
        "the counts of escalations are the escalations",
        6,
        """SELECT 'run ' || coalesce(c.run_id, e.run_id) || ' counts '
          || coalesce(c.escalations, 0) || ' escalations, there are ' || coalesce(e.n, 0)
        FROM run_escalations AS c FULL JOIN (
          SELECT j.run_id, e.from_tier, e.to_tier, e.reason, count(*) AS n
          FROM escalations AS e JOIN jobs AS j ON j.id = e.job_id GROUP BY 1, 2, 3, 4
        ) AS e ON (c.run_id, c.from_tier, c.to_tier, c.reason)
          = (e.run_id, e.from_tier, e.to_tier, e.reason)
        WHERE coalesce(c.escalations, 0) <> coalesce(e.n, 0)""",
    ),
    Check(
        "what people have decided is counted",
        1,
        """SELECT 'run ' || run_id || ' has ' || sum(jobs) || ' verdicts ' || verdict || ' too many'
        FROM (
          SELECT run_id, verdict, jobs FROM run_verdicts
          UNION ALL
          SELECT j.run_id, v.verdict, -1 FROM jobs AS j CROSS JOIN LATERAL (
            SELECT verdict FROM reviews WHERE job_id = j.id ORDER BY id DESC LIMIT 1) AS v) AS one
        GROUP BY run_id, verdict HAVING sum(jobs) <> 0""",
    ),
)
