"""`grounded` against replies made by program: how many made-up facts it finds, and how often it is
wrong about a faithful reply.

Replies in five languages about orders, on real messages of the sample backlog. What is shown is an
order (as a machine writes it), a page of the company (in English, or in the reply's language) and a
page that has nothing to do with it. A fabrication is a faithful reply with one fact changed.
"""

import random
import time
from pathlib import Path

import orjson

from benchmarks.figures import Figure, Finding
from benchmarks.grounded_replies import FABRICATED, LANGUAGES, Case, faithful, planted
from worker.domain.messages import MessageText
from worker.domain.validation import BUILTIN, Draft

REPLIES, QUICK_REPLIES = 2_000, 500
SEED = 20261126
BACKLOG = Path(__file__).parents[1] / "examples" / "backlog.jsonl"


def run(*, quick: bool) -> Finding:
    """Shares of fabrications found and of false alarms, and CPU for each reply."""
    draw = random.Random(SEED)
    count = QUICK_REPLIES if quick else REPLIES
    lines = BACKLOG.read_bytes().splitlines()
    bodies = [orjson.loads(line)["body"] for line in lines]
    good = [faithful(draw, LANGUAGES[at % len(LANGUAGES)]) for at in range(count)]
    bad = [
        planted(draw, LANGUAGES[at % len(LANGUAGES)], FABRICATED[at // 5 % len(FABRICATED)])
        for at in range(count)
    ]
    began = time.process_time()
    alarms = [case for case in good if _said(case, draw.choice(bodies)) is not None]
    missed = [case for case in bad if _said(case, draw.choice(bodies)) is None]
    spent = (time.process_time() - began) / (2 * count)
    by_kind = {
        f"missed {kind}": f"{sum(c.kind == kind for c in missed)} of"
        f" {sum(c.kind == kind for c in bad)}"
        for kind in FABRICATED
    }
    return Finding(
        "grounded",
        (
            Figure("fabrications found", 100 * (1 - len(missed) / count), 97, False, " %"),
            Figure("false alarms", 100 * len(alarms) / count, 1, True, " %"),
        ),
        {"replies of each": count, "CPU a reply (ms)": round(1000 * spent, 2), **by_kind},
    )


def _said(case: Case, body: str) -> str | None:
    draft = Draft(
        reply=case.reply,
        document={"reply": case.reply, "sources": list(case.sources)},
        schema={},
        message=MessageText(body=body, language=case.language),
        knowledge=case.shown,
    )
    return BUILTIN["grounded"](draft, {})
