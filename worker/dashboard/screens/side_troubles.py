"""What is wrong beside the queues and the runs: routines, batches, look-ups, deliveries,
certificates. Pure."""

from collections.abc import Sequence
from shlex import quote

from worker.dashboard.screens.troubles import ScreenTrouble
from worker.domain.wording import fault, plural, span
from worker.store.queue.deliveries import TargetStanding
from worker.store.queue.lookup_failures import FailingLookup
from worker.store.queue.rounds import LateStep
from worker.store.reading.doubts import DoubtfulCertificate

UNDELIVERED_S = 600.0
"""So long a receiver may be away before anybody is told."""


def late_troubles(late: Sequence[LateStep]) -> list[ScreenTrouble]:
    """Steps of the workers' own routines that do not come round."""
    return [
        ScreenTrouble(
            level="bad",
            words=f"No worker gets this done, for {span(one.seconds)} now: {one.step}. Logs say"
            " why.",
            help="Workers",
            href="/workers",
        )
        for one in late
    ]


def batch_troubles(unconfirmed: Sequence[str]) -> list[ScreenTrouble]:
    """Batches that may never have reached Claude."""
    return [ScreenTrouble(level="warn", words=f"{words}.") for words in unconfirmed]


def lookup_troubles(failing: Sequence[FailingLookup]) -> list[ScreenTrouble]:
    """Look-ups that bring nothing: whoever waits for them waits in silence otherwise."""
    return [
        ScreenTrouble(level="bad" if one.on_failure == "wait" else "warn", words=one.words)
        for one in failing
    ]


def delivery_troubles(webhooks: Sequence[TargetStanding]) -> list[ScreenTrouble]:
    """Answers that may go out, and do not."""
    found = []
    for one in webhooks:
        if one.dead:
            words = f"{plural(one.dead, 'answer')} could not be delivered to {one.name}: given up."
            found.append(
                ScreenTrouble(level="bad", words=words, help="Deliveries", href="/deliveries")
            )
        if one.paused_at is not None:
            found.append(
                ScreenTrouble(
                    level="warn",
                    words=f"{one.pause_words}.",
                    help="Deliveries",
                    href="/deliveries",
                    command=f"rung deliver resume {quote(one.name)}",
                )
            )
        elif one.waiting and one.oldest_s is not None and one.oldest_s >= UNDELIVERED_S:
            why = f": {fault(one.error)}" if one.error else ""
            words = f"{one.name} has not taken an answer for {span(one.oldest_s)}{why}."
            found.append(
                ScreenTrouble(level="warn", words=words, help="Deliveries", href="/deliveries")
            )
    return found


def certificate_troubles(rows: Sequence[DoubtfulCertificate]) -> list[ScreenTrouble]:
    """Certificates in doubt, and those that became void within a day."""
    return [
        ScreenTrouble(
            level="warn" if row.state == "amber" else "bad",
            words=row.words,
            help="See why",
            href=f"/certificates/{row.id}",
        )
        for row in rows
    ]
