"""The simulator answers about orders from what it was shown, and from nothing else."""

import sqlite3
from contextlib import closing

import pytest

from tests.support.places import ROOT
from worker.claude.prompts import fenced
from worker.domain.context import LookedUp, MessageContext
from worker.domain.messages import MessageText
from worker.sandbox.simulator.writing import known

ORDER = LookedUp(name="orders", records=({"number": "H-1", "state": "sent"}, {"number": "H-2"}))


@pytest.mark.parametrize(
    ("asked", "shown", "said"),
    [
        (
            "Where is my order?",
            (ORDER,),
            " This is what I can see of it: number: H-1, state: sent.",
        ),
        ("Where is my order?", (LookedUp(name="orders"),), ""),
        ("Where is my order?", (LookedUp(name="orders", failed="hung"),), ""),
        ("How do I change my PIN?", (ORDER,), ""),
    ],
)
def test_what_is_known_of_an_order(asked: str, shown: tuple[LookedUp, ...], said: str) -> None:
    context = MessageContext(fields={"plan": "x: y"}, history=(), lookups=shown)
    assert known(fenced(MessageText(body=asked), context=context), asked) == said


def test_the_shop_ships_with_orders_of_the_samples_customers() -> None:
    path = ROOT / "examples" / "shop" / "orders.sqlite"
    with closing(sqlite3.connect(f"file:{path}?mode=ro", uri=True)) as shop:
        (customers,) = shop.execute("SELECT count(DISTINCT customer_id) FROM orders").fetchone()
        states = {row[0] for row in shop.execute("SELECT DISTINCT state FROM orders")}
    assert customers > 100
    assert states == {"sent", "packed", "delayed", "delivered"}
