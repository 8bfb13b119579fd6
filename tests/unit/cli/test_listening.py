"""The dashboard's port is its own from the moment that its address is named."""

import os
import signal
import socket
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from worker.cli.listening import address_of, handed_over, listen, listening
from worker.errors import RungError
from worker.sandbox.supervisor import Supervisor, environment

WHO_ANSWERS = """
import os, socket, sys
listener = socket.socket(fileno=int(sys.argv[1]))
while True:
    with listener.accept()[0] as one:
        one.sendall(str(os.getpid()).encode())
"""


@contextmanager
def at(host: str, port: int = 0) -> Iterator[list[socket.socket]]:
    found = listen(host, port)
    try:
        yield found
    finally:
        for one in found:
            one.close()


def test_who_is_named_listens_already_and_nobody_else_can() -> None:
    with at("127.0.0.1") as mine:
        address = address_of("127.0.0.1", mine)
        port = mine[0].getsockname()[1]
        # then
        assert (address, port > 0) == (f"http://127.0.0.1:{port}", True)
        with socket.create_connection(("127.0.0.1", port), timeout=5), mine[0].accept()[0]:
            pass
        with pytest.raises(RungError, match=f"127.0.0.1:{port}: address already in use"):
            listen("127.0.0.1", port)


def test_all_addresses_of_a_name_share_a_port() -> None:
    with at("localhost") as mine:
        assert len({one.getsockname()[1] for one in mine}) == 1
        assert len({one.getsockname()[:1] for one in mine}) == len(mine)


def test_what_is_refused_at_one_address_leaves_nothing_listening() -> None:
    with at("127.0.0.1") as taken:
        port = taken[0].getsockname()[1]
        with pytest.raises(RungError):
            listen("localhost", port)
    # then
    with at("localhost", port) as mine:
        assert mine


@pytest.mark.parametrize("host", ["no-such-host.invalid", "192.0.2.1"])
def test_an_address_that_is_not_this_machines_is_a_sentence(host: str) -> None:
    with pytest.raises(RungError, match=f"The dashboard cannot listen at {host}:0: "):
        listen(host, 0)


def test_a_server_that_is_handed_the_socket_keeps_its_port_whenever_it_is_started_again(
    tmp_path: Path,
) -> None:
    with listening(0) as listener:
        port, fd = listener.getsockname()[1], listener.fileno()
        supervisor = Supervisor(environment(), tmp_path)
        # given: who comes before the server does waits for it
        with socket.create_connection(("127.0.0.1", port), timeout=30) as early:
            child = supervisor.add(
                "server", [sys.executable, "-c", WHO_ANSWERS, str(fd)], inherits=[fd]
            )
            assert child.process is not None
            assert int(early.recv(20)) == child.process.pid
        # when
        os.kill(child.process.pid, signal.SIGKILL)
        child.process.wait()
        child.started = 0
        with socket.create_connection(("127.0.0.1", port), timeout=30) as late:
            # then: nobody else could have taken the port in between
            with listening(port) as other:
                assert other.getsockname()[1] not in (0, port)
            supervisor.look(None)
            assert int(late.recv(20)) == child.process.pid
        # and: a door behind which nobody is any more is shut
        listener.close()
        supervisor.stop(5)
        with pytest.raises(ConnectionRefusedError):
            socket.create_connection(("127.0.0.1", port), timeout=5)


def test_what_is_no_socket_is_a_sentence(tmp_path: Path) -> None:
    with (
        (tmp_path / "file").open("w") as file,
        pytest.raises(RungError, match=f"--fd {file.fileno()} is no socket"),
    ):
        handed_over(file.fileno())
