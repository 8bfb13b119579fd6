"""A look-up that brings nothing is said by whoever is asked how things stand."""

from sqlalchemy import Engine

from tests.support.promises import do
from worker.dashboard.screens.side_troubles import lookup_troubles
from worker.store.queue.lookup_failures import failing_lookups, note_lookups
from worker.store.reading.status import troubles

AWAY = {"orders": ("is not configured here", "wait")}
AGE = "UPDATE lookup_failures SET {column} = now() - interval '{seconds} s'"


def seen(engine: Engine) -> list[str]:
    with engine.connect() as connection:
        return troubles(connection)


def test_it_is_said_from_the_first_failure_until_it_works_again(engine: Engine) -> None:
    assert seen(engine) == []
    note_lookups(engine, AWAY, ["parcels"])
    do(engine, AGE.format(column="since", seconds=240))
    note_lookups(engine, AWAY, ())
    assert seen(engine) == [
        "Look-up orders is not configured here, for 4 min now: messages wait for it, and it is"
        " asked again within a minute; configure [lookups.orders] in the workers' rung.toml, or"
        " cancel what waits (rung cancel RUN)."
    ]
    with engine.connect() as connection:
        (trouble,) = lookup_troubles(failing_lookups(connection))
    assert (trouble.level, trouble.words) == ("bad", *seen(engine))
    # One message that works among others that do not ends nothing
    note_lookups(engine, {}, ["orders"])
    assert seen(engine)
    do(engine, AGE.format(column="last_at", seconds=31))
    note_lookups(engine, {}, ["orders"])
    assert seen(engine) == []


def test_what_nobody_asks_any_more_is_forgotten_and_begins_anew(engine: Engine) -> None:
    note_lookups(engine, {"orders": ("hangs", "person")}, ())
    do(engine, "UPDATE lookup_failures SET since = since - interval '1 h'")
    do(engine, AGE.format(column="last_at", seconds=721))
    assert seen(engine) == []
    note_lookups(engine, {"orders": ("hangs", "without")}, ())
    assert seen(engine) == [
        "Look-up orders hangs, for 0.0 s now: messages are answered without it; the workers' logs"
        " have more."
    ]
