"""Look-ups, tried out: a shop's orders in SQLite, functions that go wrong, and messages to ask
about."""

import sqlite3
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from worker.config.settings import Settings
from worker.domain.looked_up import LookupMessage
from worker.domain.messages import MessageText
from worker.lookups.desk import LookupDesk

FUNCTIONS = """
import asyncio, time
from decimal import Decimal
calls = []

def record(one, **more):
    return {"customer_id": one.customer_id, "order": f"o-{one.customer_id}", **more}

async def orders(messages, options):
    calls.append(len(messages))
    return [record(one, state=options.get("state", "sent")) for one in messages]

async def shifted(messages, options):
    found = await orders(messages, options)
    return found[1:] + found[:1]

async def short(messages, options):
    return (await orders(messages, options))[1:]

async def anonymous(messages, options):
    return [{"order": 17} for _ in messages]

async def chatty(messages, options):
    return [record(one, notes="n" * 5000) for one in messages]

async def many(messages, options):
    return [[record(one, line=n) for n in range(30)] for one in messages]

async def raising(messages, options):
    raise ValueError(messages[0].body)

async def waiting(messages, options):
    await asyncio.Event().wait()

async def blocking(messages, options):
    time.sleep(0.8)
    return await orders(messages, options)

async def stumbling(messages, options):
    for one in messages:
        if one.customer_id == "odd":
            raise ValueError("secret")
    return await orders(messages, options)

async def words(messages, options):
    return ["sent" for _ in messages]

async def awkward(messages, options):
    values = {"raw": b"caf\\xc3\\xa9", "some": {"b", "a"}, "long": 10**30, "text": "a\\x00b"}
    return [record(one, share=float("nan"), price=Decimal("1.50"), **values) for one in messages]

async def unsayable(messages, options):
    return [record(one, value=object()) for one in messages]

async def packed(messages, options):
    return [record(one, value=b"\\xff\\x00") for one in messages]

async def leaving(messages, options):
    raise SystemExit(3)

async def stopping(messages, options):
    if not calls:
        calls.append(0)
        asyncio.get_running_loop().stop()
        await asyncio.Event().wait()
    return await orders(messages, options)

async def panicking(messages, options):
    raise BaseException("secret")

async def greedy(messages, options):
    return [record(one, plan=one.row.pop("plan")) for one in messages]

async def semantic(messages, options):
    return [["phones#phones", "nowhere#x", "returns#returns"] for _ in messages]

async def meaning(texts):
    calls.append(len(texts))
    topics = (("refund", "parcel"), ("card",), ("phone",))
    return [[1 + 9 * any(w in t.lower() for w in words) for words in topics] for t in texts]

async def meaningless(texts):
    return [[1.0] for _ in texts[1:]]

async def nothing(messages, options):
    return [None for _ in messages]

def plain(messages, options):
    return []
"""
ROWS = [
    ("c-1", "o-1", "sent", "2026-11-28"),
    ("c-1", "o-2", "packed", None),
    ("c-2", "o-3", "lost", None),
]


def asked(*customers: str | None, **row: Any) -> list[LookupMessage]:
    """A message of each customer."""
    return [
        LookupMessage(
            number,
            f"m-{number}",
            MessageText(body="A secret word", customer_id=one, attributes=row),
        )
        for number, one in enumerate(customers)
    ]


def functions(directory: Path) -> Path:
    """The file with the functions."""
    path = directory / "lookups.py"
    path.write_text(FUNCTIONS)
    return path


def shop(directory: Path, rows: Sequence[tuple[str | None, ...]] | None = None) -> str:
    """The address of a shop's database."""
    path = directory / "shop.sqlite"
    connection = sqlite3.connect(path)
    connection.execute("CREATE TABLE orders (customer_id TEXT, number TEXT, state TEXT, due TEXT)")
    connection.executemany("INSERT INTO orders VALUES (?, ?, ?, ?)", rows or ROWS)
    connection.commit()
    connection.close()
    return f"sqlite:///{path}"


def desk(**lookups: dict[str, Any]) -> LookupDesk:
    """A desk with these look-ups."""
    return LookupDesk(Settings.model_validate({"lookups": lookups}))


def by_function(directory: Path, name: str, **more: Any) -> LookupDesk:
    """A desk with one look-up, called `orders`."""
    return desk(orders={"path": f"{functions(directory)}:{name}", **more})
