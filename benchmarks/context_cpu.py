"""What context and search cost a worker: its CPU for a message with columns, a thread, a look-up
and the passages of 512 pages, over that of the same messages without any of it; and how much of
that is bytes alone, by as many letters in columns, with nobody asked and nothing searched.

    python -m benchmarks context_cpu [--quick]

Short rounds of each kind alternate in one worker, there and back, so that every moment of the
machine meets them all. Each round is a run of its own, its beginning and its end with it, and is
compared with the round without context beside it. The figure is the median of these pairs, which
one moment of somebody else's work does not move; the whole of both, and the quarters of the pairs,
stand beside it. What a look-up has found is not used again: in a backlog most customers write once.
"""

import shutil
from statistics import median, quantiles

from sqlalchemy import text

from benchmarks.distractor_pages import distractors
from benchmarks.figures import Figure, Finding
from benchmarks.house import House, house
from benchmarks.knowledge import DISTRACTORS, EXAMPLES, PAGES
from worker.intake.pages import read_folder
from worker.store.knowledge import sync_folder

TARGET = 1.10
ROUNDS, EACH, WARM_UP = 10, 500, 150
QUICK_ROUNDS, QUICK_EACH = 4, 200
IN_FLIGHT = {"haiku": 64, "sonnet": 32, "opus": 16}
LATENCY_SCALE = 0.2
TURN = "My parcel is late, and nobody has told me where it is. Can you look, please?"
ROW = {
    "plan": "gold",
    "order_status": "sent",
    "history": [
        {"who": who, "at": f"2026-11-0{day}", "text": TURN}
        for day, who in enumerate(("customer", "agent", "customer", "agent"), 1)
    ],
}
NOTES = ("note_1", "note_2", "note_3")
TOML = """
[policies.plain]
[policies.bytes.context]
fields = ["note_1", "note_2", "note_3"]
[policies.shown]
knowledge = ["pages"]
[policies.shown.context]
fields = ["plan", "order_status"]
history = true
lookups = ["orders"]
[lookups.orders]
database_url = "sqlite:///orders.sqlite"
query = "SELECT customer_id, number, item, state, due FROM orders WHERE customer_id = :customer_id"
cache_s = 0
"""


def run(*, quick: bool = False) -> Finding:
    """The ratio, and the milliseconds behind it."""
    count, size = (QUICK_ROUNDS, QUICK_EACH) if quick else (ROUNDS, EACH)
    taken: dict[str, list[tuple[float, float]]] = {"plain": [], "shown": [], "bytes": []}
    with house(latency_scale=LATENCY_SCALE, in_flight=IN_FLIGHT, more=TOML) as home:
        shutil.copy(EXAMPLES / "shop" / "orders.sqlite", home.home / "orders.sqlite")
        pages = [*read_folder(PAGES).pages, *distractors(DISTRACTORS)]
        sync_folder(home.engine, "pages", pages)
        rounds = _Rounds(home)
        for kind in taken:
            rounds.answered(f"warm-{kind}", kind, WARM_UP)
        for number in range(count):
            for kind in [*taken][:: -1 if number % 2 else 1]:
                before = _spent(home)
                rounds.answered(f"{kind}-{number}", kind, size)
                after = _spent(home)
                taken[kind].append((after[0] - before[0], after[1] - before[1]))
    workers = {kind: [worker for worker, _ in its] for kind, its in taken.items()}
    pairs = {
        kind: [one / plain for one, plain in zip(its, workers["plain"], strict=True)]
        for kind, its in workers.items()
    }
    each = {
        f"{part} ms, {kind}": 1000 * sum(spent[place] for spent in its) / (count * size)
        for kind, its in taken.items()
        for place, part in enumerate(("worker", "postgres"))
    }
    figure = Figure(
        "worker CPU a message, context and search ÷ none", median(pairs["shown"]), TARGET, True
    )
    lower, _, upper = quantiles(pairs["shown"], method="inclusive")
    more = {
        "rounds": count,
        "messages each way": count * size,
        "a quarter of the rounds is below": lower,
        "a quarter of the rounds is above": upper,
        "all rounds together": sum(workers["shown"]) / sum(workers["plain"]),
        "as many bytes in columns ÷ none": median(pairs["bytes"]),
    }
    return Finding("context_cpu", (figure,), {**more, **each})


class _Rounds:
    """Messages of the sample, no two alike, answered by one policy after another."""

    def __init__(self, home: House) -> None:
        self._home, self._at, self._rows = home, 0, {"bytes": ROW}

    def answered(self, name: str, kind: str, count: int) -> None:
        """Answers so many; `bytes` shows as many letters in columns as others are shown."""
        if self._rows["bytes"] is ROW and kind == "bytes":
            with self._home.engine.connect() as connection:
                letters = connection.execute(SHOWN_LETTERS).scalar_one()
            notes = {name: (TURN * 20)[: letters // len(NOTES)] for name in NOTES}
            self._rows["bytes"] = ROW | notes
        row = self._rows.get(kind, ROW)
        run = self._home.hand_in(name, count, first=self._at, policy=kind, metadata=row)
        self._at += count
        self._home.wait_for(run, within_s=300)


def _spent(home: House) -> tuple[float, float]:
    return home.worker_cpu_s(), home.services_cpu_s()["postgres"]


SHOWN_LETTERS = text("SELECT avg(length(document::text))::int FROM contexts")
