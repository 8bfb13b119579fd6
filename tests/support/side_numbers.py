"""Figures beside the counts of jobs, each against the rows themselves: what a run's money went for,
why its jobs climbed, what Claude has in batches, deliveries and audits."""

import re

import httpx2
from sqlalchemy import Engine

from tests.support.pages import Page
from tests.support.promises import many, one
from worker.domain.wording import count, dollars, plural, reason

PARTS = """
SELECT coalesce(sum(c.cost) FILTER (WHERE c.state = 'done' AND purpose = 'classify'), 0) AS asked,
  coalesce(sum(c.cost) FILTER (WHERE c.state = 'done' AND purpose = 'answer'), 0) AS answered,
  coalesce(sum(c.cost) FILTER (WHERE c.state = 'done' AND purpose = 'check'), 0) AS checked,
  coalesce(sum(c.cost) FILTER (WHERE c.state NOT IN ('done', 'sent')), 0) AS lost,
  coalesce(sum(c.cost), 0) AS total,
  (SELECT coalesce(sum(a.reserved), 0) FROM attempts AS a JOIN jobs AS o ON o.id = a.job_id
   WHERE o.run_id = :run AND a.outcome = 'started') AS reserved
FROM calls AS c JOIN jobs AS j ON j.id = c.job_id WHERE j.run_id = :run
"""
STEPS = """
SELECT e.from_tier, e.to_tier, e.reason, count(*) AS times FROM escalations AS e
JOIN jobs AS j ON j.id = e.job_id WHERE j.run_id = :run GROUP BY 1, 2, 3
"""
BATCHES = """
SELECT (SELECT count(*) FROM jobs WHERE state = 'submitted') AS messages, count(*) AS batches
FROM message_batches WHERE state IN ('intended', 'submitted', 'ended')
"""
DELIVERIES = """
SELECT count(*) FILTER (WHERE state = 'waiting') AS waiting,
  count(*) FILTER (WHERE state = 'dead') AS dead FROM deliveries WHERE target = 'desk'
"""
AUDITS = """
SELECT r.name, count(*) AS drawn, count(*) FILTER (WHERE t.job_id IS NULL) AS open,
  count(*) FILTER (WHERE t.is_right) AS right, count(*) FILTER (WHERE NOT t.is_right) AS wrong
FROM audits AS a JOIN runs AS r ON r.id = a.run_id
LEFT JOIN truths AS t ON (t.job_id, t.fence) = (a.job_id, a.fence) AND t.undone_at IS NULL
GROUP BY r.id, r.name
"""


def compare_spend(page: Page, engine: Engine, run_id: int) -> None:
    """What a run's page says of its money and its climbs."""
    parts = one(engine, PARTS, run=run_id)
    assert parts.asked + parts.answered + parts.checked + parts.lost == parts.total
    assert f"classifying {dollars(parts.asked)} answering {dollars(parts.answered)}" in page.text
    for words, amount in (
        ("checking", parts.checked),
        ("calls that failed or were lost", parts.lost),
        ("reserved for calls in flight", parts.reserved),
    ):
        assert (f"{words} {dollars(amount)}" in page.text) is bool(amount), (words, amount)
    for step in many(engine, STEPS, run=run_id):
        climbed = f"{step.from_tier} → {step.to_tier} {reason(step.reason)}: {count(step.times)}"
        assert climbed in page.text, climbed


def compare_aside(client: httpx2.Client, engine: Engine) -> None:
    """Batches on the first page, and the pages of deliveries and of audits."""
    now, held = Page(client.get("/").text), one(engine, BATCHES)
    found = re.search(r"(\d+ messages? in \d+ batch(?:es)?) \(", now.text)
    said = f"{plural(held.messages, 'message')} in {plural(held.batches, 'batch', 'batches')}"
    if now.root.all("table", cls="queues"):
        assert (found[1] if found else None) == (said if held.batches else None)
    desk, (shown,) = one(engine, DELIVERIES), Page(client.get("/deliveries").text).rows("stacked")
    assert (shown["waiting"], shown["given up"]) == (str(desk.waiting), str(desk.dead))
    proof = Page(client.get("/certificates").text)
    audits = {
        row[""]: tuple(int(row[name]) for name in ("drawn", "open", "right", "wrong"))
        for row in (proof.rows("stacked") if proof.root.all("table", cls="stacked") else ())
    }
    assert audits == {name: tuple(counts) for name, *counts in many(engine, AUDITS)}
