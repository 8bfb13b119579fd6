"""Sessions: options of an address as libpq reads them, and poolers that refuse or drop settings,
played by the way to a real server."""

from collections.abc import Callable, Iterator
from typing import Any

import psycopg
import pytest
from sqlalchemy import Engine, event, make_url, text

from worker.store.engine import make_engine
from worker.store.sessions import PLANNED, PLANS_KEPT_S, SessionDoor, options_of

SETTING = text("SELECT current_setting('lock_timeout')")
OFTEN = 12
"""psycopg prepares after five times."""
Sending = Callable[[dict[str, Any]], None]


@pytest.mark.parametrize(
    ("options", "name", "value"),
    [
        ("-csearch_path=mine", "search_path", "mine"),
        ("-c search_path=ours,\\ public", "search_path", "ours, public"),
        ("--lock-timeout=7s", "lock_timeout", "7s"),
        ("-c work_mem=1MB -c lock_timeout=7s", "lock_timeout", "7s"),
        ("-c work_mem=1MB", "lock_timeout", "35s"),
        ("", "statement_timeout", "1500ms"),
        ("", "jit", "off"),
        ("-c jit=on", "jit", "on"),
    ],
)
def test_options_of_an_address_stand_above_ours(options: str, name: str, value: str) -> None:
    address = make_url("postgresql://u@h/d").update_query_dict({"options": options})
    assert options_of(address, 1.5)[name] == value
    assert options_of(address, None)["statement_timeout"] == "0ms"


@pytest.fixture
def opened(database_url: str) -> Iterator[Callable[..., Engine]]:
    """Engines whose connections are sent through a function first."""
    made = list[Engine]()

    def open_by(sending: Sending, options: str = "") -> Engine:
        asked = f"&options={options}" if options else ""
        engine = make_engine(f"{database_url}{asked}", pool_size=1)
        door: SessionDoor = engine.get_execution_options()["rung_door"]
        straight = door._open

        def connect(*arguments: Any, **more: Any) -> Any:
            sending(more)
            return straight(*arguments, **more)

        door._open = connect
        made.append(engine)
        return engine

    yield open_by
    for engine in made:
        engine.dispose()


def drops(sent: dict[str, Any]) -> None:
    sent.pop("options", None)


def refusing(words: str) -> Sending:
    def refuse(sent: dict[str, Any]) -> None:
        if "options" in sent:
            raise psycopg.OperationalError(words)

    return refuse


def prepared(engine: Engine) -> int:
    for _ in range(OFTEN):
        with engine.begin() as connection:
            connection.execute(SETTING)
    with engine.begin() as connection:
        return int(connection.exec_driver_sql("SELECT count(*) FROM pg_prepared_statements")
                   .scalar_one())  # fmt: skip


@pytest.mark.parametrize(
    "sending",
    [
        drops,
        refusing("unsupported startup parameter: lock_timeout"),
        refusing("the parameter options is not allowed"),
    ],
)
def test_behind_a_pooler_settings_go_with_each_transaction_and_nothing_is_prepared(
    opened: Callable[..., Engine], sending: Sending
) -> None:
    engine = opened(sending)
    for _ in range(2):
        with engine.begin() as connection:
            assert connection.execute(SETTING).scalar_one() == "35s"
            straight = connection.connection.driver_connection
    assert straight is not None
    assert straight.execute("SHOW lock_timeout").fetchone() == ("0",), "nothing of the session's"
    straight.rollback()
    assert prepared(engine) == 0


def test_what_a_door_is_told_in_the_options_goes_with_every_connection(
    opened: Callable[..., Engine],
) -> None:
    """As Neon's, which finds the database by it, and hands no settings on."""
    sent = list[str]()

    def told(more: dict[str, Any]) -> None:
        sent.append(more.pop("options", ""))

    engine = opened(told, "endpoint%3Dep-1%20-clock_timeout%3D7s")
    with engine.begin() as connection:
        assert connection.execute(SETTING).scalar_one() == "7s"
    assert sent[0].startswith("endpoint=ep-1 -c ")
    assert sent[1:] == ["endpoint=ep-1"]


@pytest.mark.parametrize("sending", [drops, lambda sent: None], ids=["pooled", "straight"])
@pytest.mark.parametrize("own", ["", "-csynchronous_commit%3Doff"])
def test_a_promise_is_on_the_disk_unless_the_address_says_otherwise(
    opened: Callable[..., Engine], engine: Engine, sending: Sending, own: str
) -> None:
    asked, name = text("SHOW synchronous_commit"), engine.url.database
    with engine.begin() as connection:
        connection.exec_driver_sql(f"ALTER DATABASE {name} SET synchronous_commit = off")
    made = opened(sending, own)
    for _ in range(2):
        with made.begin() as connection:
            assert connection.execute(asked).scalar_one() == ("off" if own else "on")
        made.dispose()


def test_a_pooler_is_asked_once(opened: Callable[..., Engine]) -> None:
    sent = list[bool]()

    def told(more: dict[str, Any]) -> None:
        sent.append("options" in more)
        more.pop("options", None)

    engine = opened(told)
    for _ in range(2):
        with engine.connect():
            pass
        engine.dispose()
    assert sent == [True, False, False]


def test_what_else_a_server_says_is_no_pooler(opened: Callable[..., Engine]) -> None:
    engine = opened(refusing("the server is starting up"))
    with pytest.raises(Exception, match="starting up"):
        engine.connect()


def test_without_a_pooler_plans_are_kept_whoever_set_the_bounds(
    opened: Callable[..., Engine],
) -> None:
    for options in ("", "-clock_timeout%3D7s", "-clock_timeout%3D7s%20-cidle_in_transaction_session"
                    "_timeout%3D9s"):  # fmt: skip
        assert prepared(opened(lambda sent: None, options)) > 0


def test_plans_are_thrown_away_once_in_a_while_and_not_each_time(
    opened: Callable[..., Engine],
) -> None:
    engine, said = opened(lambda sent: None), list[str]()
    event.listen(engine, "before_cursor_execute", lambda *told: said.append(told[2]))
    for aged in (0.0, PLANS_KEPT_S + 1, 0.0, 0.0):
        with engine.begin() as connection:
            connection.info[PLANNED] -= aged
    assert said == ["DISCARD PLANS"]
