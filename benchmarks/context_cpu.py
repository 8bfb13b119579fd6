"""What context and search cost a worker: its CPU for a message with columns, a thread, a look-up
and the passages of 512 pages, over that of the same messages without any of it.

    python -m benchmarks context_cpu [--quick]

Rounds with and without alternate in one worker, so that every moment of the machine meets both.
"""

import shutil

from benchmarks.distractor_pages import distractors
from benchmarks.figures import Figure, Finding
from benchmarks.house import House, house
from benchmarks.knowledge import DISTRACTORS, EXAMPLES, PAGES
from worker.intake.pages import read_folder
from worker.store.knowledge import sync_folder

TARGET = 1.10
ROUNDS, WARM_UP = 3, 150
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
TOML = """
[policies.plain]
[policies.shown]
knowledge = ["pages"]
[policies.shown.context]
fields = ["plan", "order_status"]
history = true
lookups = ["orders"]
[lookups.orders]
database_url = "sqlite:///orders.sqlite"
query = "SELECT customer_id, number, item, state, due FROM orders WHERE customer_id = :customer_id"
"""


def run(*, quick: bool = False) -> Finding:
    """The ratio, and the milliseconds behind it."""
    size = 400 if quick else 1_500
    spent = {"plain": [0.0, 0.0], "shown": [0.0, 0.0]}
    with house(latency_scale=LATENCY_SCALE, in_flight=IN_FLIGHT, more=TOML) as home:
        shutil.copy(EXAMPLES / "shop" / "orders.sqlite", home.home / "orders.sqlite")
        pages = [*read_folder(PAGES).pages, *distractors(DISTRACTORS)]
        sync_folder(home.engine, "pages", pages)
        at = 0
        for policy in spent:
            _answered(home, f"warm-{policy}", policy, WARM_UP, at)
            at += WARM_UP
        for number in range(ROUNDS):
            for policy, sums in spent.items():
                worker, postgres = _spent(home)
                _answered(home, f"{policy}-{number}", policy, size, at)
                at += size
                after = _spent(home)
                sums[0] += after[0] - worker
                sums[1] += after[1] - postgres
    each = {
        f"{part} ms, {policy}": 1000 * sums[place] / (ROUNDS * size)
        for policy, sums in spent.items()
        for place, part in enumerate(("worker", "postgres"))
    }
    ratio = spent["shown"][0] / spent["plain"][0]
    figure = Figure("worker CPU a message, context and search ÷ none", ratio, TARGET, at_most=True)
    return Finding("context_cpu", (figure,), {"messages each way": ROUNDS * size, **each})


def _answered(home: House, name: str, policy: str, count: int, first: int) -> None:
    run = home.hand_in(name, count, first=first, policy=policy, metadata=ROW)
    home.wait_for(run, within_s=300)


def _spent(home: House) -> tuple[float, float]:
    return home.worker_cpu_s(), home.services_cpu_s()["postgres"]
