"""The dashboard's port is its own from the moment that its address is named."""

import socket
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from worker.cli.dashboard_server import address_of, listen
from worker.errors import RungError


@contextmanager
def listening(host: str, port: int = 0) -> Iterator[list[socket.socket]]:
    found = listen(host, port)
    try:
        yield found
    finally:
        for one in found:
            one.close()


def test_who_is_named_listens_already_and_nobody_else_can() -> None:
    with listening("127.0.0.1") as mine:
        address = address_of("127.0.0.1", mine)
        port = mine[0].getsockname()[1]
        # then
        assert (address, port > 0) == (f"http://127.0.0.1:{port}", True)
        with socket.create_connection(("127.0.0.1", port), timeout=5), mine[0].accept()[0]:
            pass
        with pytest.raises(RungError, match=f"127.0.0.1:{port}: address already in use"):
            listen("127.0.0.1", port)


def test_all_addresses_of_a_name_share_a_port() -> None:
    with listening("localhost") as mine:
        assert len({one.getsockname()[1] for one in mine}) == 1
        assert len({one.getsockname()[:1] for one in mine}) == len(mine)


def test_what_is_refused_at_one_address_leaves_nothing_listening() -> None:
    with listening("127.0.0.1") as taken:
        port = taken[0].getsockname()[1]
        with pytest.raises(RungError):
            listen("localhost", port)
    # then
    with listening("localhost", port) as mine:
        assert mine


@pytest.mark.parametrize("host", ["no-such-host.invalid", "192.0.2.1"])
def test_an_address_that_is_not_this_machines_is_a_sentence(host: str) -> None:
    with pytest.raises(RungError, match=f"The dashboard cannot listen at {host}:0: "):
        listen(host, 0)
