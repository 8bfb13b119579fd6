"""A look-up of one's own: what the shop knows of the customers of a chunk of messages."""

import sqlite3
from collections.abc import Mapping, Sequence
from contextlib import closing
from typing import Any

ORDERS = "SELECT customer_id, number, item, state, due FROM orders WHERE customer_id = ?"


async def orders(messages: Sequence[Any], options: Mapping[str, Any]) -> list[list[dict[str, Any]]]:
    """Every customer's orders, in the order of the messages; each says whose it is."""
    with closing(sqlite3.connect(f"file:{options['database']}?mode=ro", uri=True)) as shop:
        shop.row_factory = sqlite3.Row
        return [[dict(row) for row in shop.execute(ORDERS, (one.customer_id,))] for one in messages]
