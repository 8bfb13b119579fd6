"""Hands a day's export over, waits for the answers, and writes those that may go out. For cron:

    0 18 * * *  cd /srv/support && python nightly.py export.csv answers.csv

With RUNG_URL and RUNG_TOKEN set. The key is the day: whatever is repeated adds nothing twice.
"""

import csv
import datetime as dt
import os
import sys
from pathlib import Path

import rung


def main(export: str, answers: str) -> int:
    """How many answers may go out."""
    day = f"{dt.datetime.now(dt.UTC):%Y-%m-%d}"
    with rung.Client(os.environ["RUNG_URL"], os.environ["RUNG_TOKEN"]) as client:
        handed = client.enqueue(export, run=f"export {day}", key=f"export {day}", budget_usd=20)
        if handed.run is None:
            return 0
        client.wait(handed.run, timeout_s=6 * 3_600)
        ready = [answer for answer in client.results(handed.run) if answer.send]
    with Path(answers).open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow(["external_id", "send"])
        writer.writerows([answer.external_id, answer.send] for answer in ready)
    return len(ready)


if __name__ == "__main__":
    sys.stdout.write(f"{main(*sys.argv[1:3])} answers may go out\n")
