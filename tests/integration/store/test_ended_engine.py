"""An engine that ends leaves no connection open."""

import psycopg

from worker.store.engine import dispose_for_good, make_engine


def test_what_is_still_held_is_closed_as_it_comes_back(database_url: str) -> None:
    engine = make_engine(database_url, pool_size=1)
    with engine.connect() as held:
        driver = held.connection.driver_connection
        assert isinstance(driver, psycopg.Connection)
        dispose_for_good(engine)
        assert not driver.closed
    assert driver.closed
