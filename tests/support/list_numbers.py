"""What lists say of runs and jobs, on pages, in the API and in the terminal, against the rows."""

import re
from decimal import Decimal
from typing import Any

import httpx2
from sqlalchemy import Engine

from tests.support.cli import say
from tests.support.pages import Page
from tests.support.promises import many, one
from worker.domain.wording import dollars, plural

RUNS = """
SELECT r.id, r.name, r.finished_at IS NULL AS live, count(*) AS total,
  count(*) FILTER (WHERE j.finished_at IS NOT NULL) AS ended,
  count(*) FILTER (WHERE j.state = 'answered') AS answered,
  count(*) FILTER (WHERE j.state = 'dead') AS dead,
  count(*) FILTER (WHERE j.state = 'cancelled') AS cancelled,
  count(*) FILTER (WHERE j.state = 'review' AND v.job_id IS NULL) AS waits,
  count(v.job_id) AS decided,
  (SELECT coalesce(sum(c.cost), 0) FROM calls AS c JOIN jobs AS o ON o.id = c.job_id
   WHERE o.run_id = r.id) AS spent
FROM runs AS r JOIN jobs AS j ON j.run_id = r.id
LEFT JOIN (SELECT DISTINCT job_id FROM reviews) AS v ON v.job_id = j.id
GROUP BY r.id ORDER BY r.id DESC
"""
STATES = "SELECT state, count(*) FROM jobs WHERE run_id = :run GROUP BY 1"
UNJUDGED = """
SELECT count(*) FROM audits AS a WHERE NOT EXISTS (
  SELECT FROM truths AS t WHERE (t.job_id, t.fence) = (a.job_id, a.fence) AND t.undone_at IS NULL)
"""
NOT_COVERED = "SELECT count(*) FROM jobs WHERE state = 'review' AND reason = 'not_covered'"
PAGE_JOBS = 50


def compare_lists(client: httpx2.Client, engine: Engine) -> None:
    """Every list that has counts."""
    runs = many(engine, RUNS)
    _compare_runs(Page(client.get("/runs").text), runs)
    total, waits = sum(run.total for run in runs), sum(run.waits for run in runs)
    jobs = Page(client.get("/jobs").text).root.all("h2", id="h-list")[0].text
    assert jobs == f"1 to {min(total, PAGE_JOBS)} of {total}"
    queue = Page(client.get("/review/queue").text).root.all("h1")[0].text
    waiting = f"{plural(waits, 'message')} wait{'s' if waits == 1 else ''} for a person"
    assert queue == (waiting if waits else "Nothing waits for a person")
    audits, (unjudged,) = Page(client.get("/audits").text), one(engine, UNJUDGED)
    found = re.search(r"(\d+) answers? that chance chose waits? for a verdict", audits.text)
    assert int(found[1] if found else 0) == unjudged
    (gaps,) = one(engine, NOT_COVERED)
    assert (f"{plural(gaps, 'message')} wait" in client.get("/knowledge/gaps").text) is bool(gaps)
    _compare_clusters(Page(client.get("/clusters").text), total)
    _compare_documents(client, engine, runs)


def _compare_runs(page: Page, runs: list[Any]) -> None:
    rows = page.rows("stacked")
    for row, run in zip(rows, runs, strict=True):
        assert row[""].split()[0] == run.name
        parts = [f"{run.answered} of {run.total} answered"]
        for count, words in ((run.waits, "for a person"), (run.decided, "decided"),
                             (run.dead, "dead"), (run.cancelled, "cancelled")):  # fmt: skip
            parts += [f"{count} {words}"] if count else []
        assert row["outcome"] == " ".join(parts)
        assert row["spent"].startswith(dollars(run.spent))


def _compare_clusters(page: Page, total: int) -> None:
    """Whoever is in one stands in one state."""
    alike = 0
    for row in page.rows("stacked") if page.root.all("table", cls="stacked") else []:
        messages = int(row[""])
        assert sum(map(int, re.findall(r"\b\d+\b", row["where they stand"]))) == messages
        alike += messages
    assert alike <= total


def _compare_documents(client: httpx2.Client, engine: Engine, runs: list[Any]) -> None:
    """The API's and the commands' own."""
    live = {run.name: run for run in runs if run.live}
    told = {run["run"]: run for run in client.get("/api/status").json()["runs"]}
    listed = {run["run"]: run for run in say("runs", "--json").document}
    status = say("status").out
    assert (told.keys(), listed.keys()) == (live.keys(), {run.name for run in runs})
    for run in runs:
        states = {row.state: row.count for row in many(engine, STATES, run=run.id)}
        for document in (listed[run.name], *([told[run.name]] if run.live else [])):
            assert document["by_state"] == states
            assert (document["total"], document["ended"]) == (run.total, run.ended)
            assert document["for_people"] == run.waits
            assert Decimal(str(document["spent_usd"])) == round(run.spent, 6)
        line = re.search(rf"^{re.escape(run.name)}: .*, (\d+) of (\d+) done$", status, re.M)
        figures = (str(run.ended), str(run.total)) if run.live else None
        assert (line.groups() if line else None) == figures
