"""Two answers of the demo about the fee for cash: one makes its amount up, and climbs; the other
has it from a page, and goes out."""

import json
import urllib.request
from dataclasses import replace
from typing import Any

from sqlalchemy import Connection

from worker.cli.speech.output import talk
from worker.domain.policy import Policy, ValidatorUse
from worker.domain.receipt import Receipt
from worker.errors import Missing
from worker.store.reading.receipts import find_job, receipt

GROUNDED = "grounded"
PAGE = "05-fees-and-rates#fees-and-exchange-rates"
MADE_UP, FAITHFUL = "msg-04001", "msg-03441"
"""Messages of the sample, and words of theirs by which the simulator knows them."""
WORDS = {
    MADE_UP: "I got charged fees for withdrawing cash!",
    FAITHFUL: "Tell me why there is a charge on my cash withdrawl.",
}
SAID = (
    "[simulated] Hello, 3 cash withdrawals a month are free; each one after them costs {}. All fees"
    " of a payment are shown under Activity > the payment > Fees. Kind regards, the support team."
)


def checking_facts(policy: Policy) -> Policy:
    """The policy, with `grounded` among its validators."""
    uses = policy.accept.validators
    if any(use.name == GROUNDED for use in uses):
        return policy
    return replace(
        policy, accept=replace(policy.accept, validators=(*uses, ValidatorUse(GROUNDED)))
    )


def script_facts(simulator: str) -> None:
    """Has the simulator's Haiku make up an amount for one message, and take it from the page for
    another."""
    moods = [
        _mood(MADE_UP, "haiku", "4.75"),
        _mood(MADE_UP, "", "1.50"),
        _mood(FAITHFUL, "", "1.50"),
    ]
    request = urllib.request.Request(  # noqa: S310 - the simulator's own address
        f"{simulator}/_sim/moods", json.dumps(moods).encode(), method="PUT",
        headers={"content-type": "application/json"},
    )  # fmt: skip
    with urllib.request.urlopen(request, timeout=5):  # noqa: S310 - as above
        pass


def _mood(message: str, model: str, amount: str) -> dict[str, Any]:
    answer = {"reply": SAID.format(amount), "sources": [PAGE], "action": "reply"}
    return {
        "match": {"purpose": "answer", "model": model, "contains": WORDS[message]},
        "do": {"merge": {**answer, "confidence": 0.93}},
    }


def say_facts(connection: Connection, run: str) -> None:
    """What became of the two."""
    try:
        made_up, faithful = (
            receipt(connection, find_job(connection, f"{run}/{message}"))
            for message in (MADE_UP, FAITHFUL)
        )
    except Missing:
        return
    caught = next((one for one in made_up.attempts if GROUNDED in one.reasons), None)
    if caught is not None:
        finding = next(f for f in caught.findings or () if f["validator"] == GROUNDED)
        why = f"{caught.tier} made one up for {MADE_UP}: {finding['finding']}"
        talk(f"\nFacts are checked. {why}; so it climbed, {_end(made_up)}.")
    if faithful.state == "answered" and not faithful.escalations:
        talk(f"The same fee for {FAITHFUL}, as the page has it, {_end(faithful)} at once.")


def _end(found: Receipt) -> str:
    if found.state == "answered":
        return f"and {found.tier} answered it" if found.escalations else "went out"
    return "and a person will look"
