"""What is asked of a record that `benchmarks.filled` made: every page, and what the API serves. A
route that is neither asked here nor said why not fails `tests/unit/test_measured_addresses.py`."""

import json
from collections.abc import Sequence

from benchmarks.filled import AT_WORK, ENDED_RUNS, PAUSED
from worker.dashboard.access.requests import HAND_OVER
from worker.dashboard.pages.jobs import SORTS

PLACES = 16
SORTED = tuple(SORTS)
NOBODY = "where=reason+contains+nonesuch"
CHAT = "where=channel+%3D+chat"
POST = "POST "
"""Before an address that is sent to, with what is sent behind it."""
LIVE = "/live/"
"""Streams of events, of which the first one is read."""


UNMEASURED = {
    "/knowledge/page": "one page of a folder: its cost is that page's",
    "/certificates/{number:int}": "one row, by its key",
    "/runs/{run:path}/compare?with": "refused of runs that are no sample (`refuse_long`)",
    "/api/runs/{run:path}/compare": "the same",
    "/api/{rest:path}": "there is no such address",
    "/actions/overrule": "as resume of a tier; no canary holds one here",
    "/actions/realtime": "as resume of a run; none is in batches here",
    "/static": "files",
}
"""Addresses that are looked at and not measured, and why not."""
DEEDS = {
    "/hand-over": "an intake, whose cost is a row's",
    "/deliveries/{deed}": "a deed on deliveries that ended",
    "/comparisons": "makes a sample",
    "/comparisons/judge": "one row",
    "/audits/next": "the next of a queue",
    "/audits/verdict": "one row",
    "/jobs/{job:int}": "a page of `/jobs/JOB`, with its words",
    "/jobs/{job:int}/verdict": "one row",
    "/review/undo": "one row",
    "/review/leave": "one row",
    "/clusters/verdict": "a row of each that is alike",
    "/actions/{action}": "what it changes; what it looks at before is measured",
    "/login": "one row",
    "/logout": "one row",
    "/api/runs": "an intake, whose cost is a row's",
    "/api/jobs/{job:path}/verdict": "one row",
    "/api/{rest:path}": "there is no such address",
    "/api/review/next": "the next of a queue, as `/review/queue`",
    "/api/review/leave": "one row",
}
"""What is sent, and changes something: its cost is that of what it changes."""


def _preview(action: str, where: str, **more: float) -> str:
    body = {"action": action, "where": where, "preview": True, **more}
    return f"{POST}/api/actions {json.dumps(body)}"


def pages_of(jobs: int) -> dict[str, Sequence[str]]:
    """Every page by name, with addresses to be asked in turn."""
    run_ids = list(ENDED_RUNS)
    done, oldest = [jobs - 17 * n for n in range(1, PLACES + 1)], round(0.35 * jobs) + 300
    return {
        "/": ["/"],
        "/runs": ["/runs"],
        "/runs/RUN": [f"/runs/{run}" for run in run_ids],
        "/runs/RUN at work": [f"/runs/{AT_WORK}"],
        "/runs/RUN paused": [f"/runs/{PAUSED}"],
        "/jobs": ["/jobs", f"/jobs?before={jobs // 2}"],
        "/jobs of a run": [f"/jobs?run=run{run}" for run in run_ids],
        "/jobs of the oldest run": [f"/jobs?run=run{PAUSED}"],
        "/jobs of a run, last page": [f"/jobs?run=run{run}&before={oldest}" for run in run_ids],
        "/jobs by state": ["/jobs?state=dead", "/jobs?state=review"],
        "/jobs where": ["/jobs?where=confidence+%3C+0.6+and+channel+%3D+chat"],
        "/jobs by tier": ["/jobs?tier=opus", "/jobs?tier=sonnet"],
        "/jobs where, nothing meets it": [f"/jobs?{NOBODY}"],
        "/jobs where, nothing of a run": [f"/jobs?run=run{run}&{NOBODY}" for run in run_ids],
        "/jobs where, nothing of the oldest run": [f"/jobs?run=run{PAUSED}&{NOBODY}"],
        "/jobs sorted": [f"/jobs?run=run{run}&sort={sort}" for run in run_ids for sort in SORTED],
        "/jobs sorted, of all": [f"/jobs?sort={sort}" for sort in SORTED],
        "/jobs sorted, second page": [f"/jobs?sort={sort}&shown=50" for sort in SORTED],
        "/jobs sorted where": [f"/jobs?sort={sort}&where=tier+%3D+opus" for sort in SORTED],
        "/jobs found by id": [f"/jobs?q=run{3 + n % 4}%2Fm{n}" for n in done],
        "/jobs/JOB": [f"/jobs/{n}" for n in done],
        "/jobs/JOB, old": [f"/jobs/{oldest + n}" for n in range(PLACES)],
        "/dead": ["/dead", "/dead?reason=schema"],
        "/dead of a reason that none has": ["/dead?reason=nonesuch"],
        "/dead of a run": [f"/dead?run={run}" for run in run_ids],
        "/review": ["/review"],
        "/review of a run": [f"/review?run={run}" for run in run_ids],
        "/review of a reason that none has": ["/review?reason=nonesuch"],
        "/review/queue": ["/review/queue"],
        "/review/queue with text": ["/review/queue?text=1"],
        "/clusters": ["/clusters"],
        "/clusters of a run": [f"/clusters?run={run}" for run in run_ids],
        "/clusters of what waits": ["/clusters?review=1"],
        "/clusters of what waits of a run": [f"/clusters?review=1&run={run}" for run in run_ids],
        "/knowledge": ["/knowledge"],
        "/knowledge?q": ["/knowledge?q=parcel"],
        "/knowledge/words": [f"/knowledge/words?run=run{run}" for run in run_ids],
        "/knowledge/gaps": ["/knowledge/gaps"],
        "/knowledge/gaps of a run": [f"/knowledge/gaps?run=run{run}" for run in run_ids],
        "/runs/RUN/sample": [f"/runs/{run}/sample" for run in run_ids],
        "/runs/RUN/sample of 200": [f"/runs/{run}/sample?n=200" for run in run_ids],
        "/runs/RUN/sample with another": [
            f"/runs/{run}/sample?with=run{3 + (run - 2) % 4}" for run in run_ids
        ],
        "/runs/RUN/compare": [f"/runs/{run}/compare" for run in run_ids],
        "/runs/RUN/frontier": [f"/runs/{run}/frontier" for run in run_ids],
        "/certificates": ["/certificates"],
        "/audits": ["/audits"],
        "/deliveries": ["/deliveries"],
        HAND_OVER: [HAND_OVER],
        "/workers": ["/workers"],
        "/audit": ["/audit"],
        "/audit of one person": ["/audit?who=ada", "/audit?who=nobody"],
        "/actions/pause": ["/actions/pause?tier=haiku", "/actions/pause?tier=everything"],
        "/actions/pause of a run": [f"/actions/pause?run={AT_WORK}"],
        "/actions/drain": ["/actions/drain?tier=haiku"],
        "/actions/resume": [f"/actions/resume?run={PAUSED}"],
        "/actions/cancel": [f"/actions/cancel?run={AT_WORK}"],
        "/actions/cancel where": ["/actions/cancel?where=channel+%3D+chat"],
        "/actions/retry": [f"/actions/retry?run={run}" for run in run_ids],
        "/actions/retry where": ["/actions/retry?where=reason+%3D+schema"],
        "/actions/priority where": ["/actions/priority?where=channel+%3D+chat&to=5"],
        "/actions/priority": [f"/actions/priority?run={AT_WORK}&to=5"],
        "/actions/budget": [f"/actions/budget?run={AT_WORK}&to=2000"],
        "/actions/budget where": [f"/actions/budget?{CHAT}&to=2000", f"/actions/budget?{CHAT}"],
        "/actions/budget where, nothing meets it": [f"/actions/budget?{NOBODY}&to=2000"],
        "/actions/cancel where, nothing meets it": [f"/actions/cancel?{NOBODY}"],
        "/actions/retry where, nothing meets it": [f"/actions/retry?{NOBODY}"],
        "/jobs/ticked": [f"/jobs/ticked?do=retry&job={n}" for n in done],
        "/metrics": ["/metrics"],
        **{f"{LIVE}{of}": [f"{LIVE}{of}"] for of in ("now", "runs", "runs/all", "workers")},
        f"{LIVE}runs/RUN": [f"{LIVE}runs/{run}" for run in (AT_WORK, *run_ids)],
        "/login": ["/login"],
        "/api/session": ["/api/session"],
        "/api/openapi.json": ["/api/openapi.json"],
        "/api/actions, a preview": [
            *(_preview(action, "channel = chat") for action in ("cancel", "retry")),
            _preview("priority", "channel = chat", priority=5),
            _preview("budget", "channel = chat", budget_usd=2000),
            _preview("cancel", "reason contains nonesuch"),
        ],
        "/api/status": ["/api/status"],
        "/api/tiers": ["/api/tiers"],
        "/api/workers": ["/api/workers"],
        "/api/audit": ["/api/audit"],
        "/api/runs": ["/api/runs"],
        "/api/runs/RUN": [f"/api/runs/run{run}" for run in run_ids],
        "/api/runs/RUN/results": [f"/api/runs/run{run}/results?limit=500" for run in run_ids],
        "/api/runs/RUN/results of review": [
            f"/api/runs/run{run}/results?limit=10&only=review" for run in run_ids
        ],
        "/api/runs/RUN/results of dead": [
            f"/api/runs/run{run}/results?limit=10&only=dead" for run in run_ids
        ],
        "/api/runs/RUN/results, ready": [
            f"/api/runs/run{run}/results?limit=10&only=ready" for run in run_ids
        ],
        "/api/jobs/JOB": [f"/api/jobs/{n}" for n in done],
        "/api/jobs": ["/api/jobs", "/api/jobs?where=state+%3D+dead"],
        "/api/dead": ["/api/dead"],
        "/api/review": ["/api/review"],
        "/healthz": ["/healthz"],
    }


def counts_of() -> dict[str, Sequence[str]]:
    """What is asked for beyond a first look, and grows with what is counted or looked at."""
    return {
        "/actions/cancel where, counted": ["/actions/cancel?where=channel+%3D+chat&count=all"],
        "/actions/retry where, counted": ["/actions/retry?where=reason+%3D+schema&count=all"],
        "/actions/priority where, counted": [
            "/actions/priority?where=channel+%3D+chat&to=5&count=all"
        ],
        "/clusters, further": ["/clusters?far=1"],
        "/clusters of a run, further": [f"/clusters?run={run}&far=1" for run in ENDED_RUNS],
        "/actions/budget where, counted": [f"/actions/budget?{CHAT}&to=2000&count=all"],
        "/actions/budget where, nothing, counted": [f"/actions/budget?{NOBODY}&to=2000&count=all"],
    }
