"""Two of Rung that start at once do not choose one port."""

import socket

from worker.sandbox.supervisor import claimed_port


def test_a_port_that_another_is_about_to_take_is_left_to_it() -> None:
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        wanted = int(found.getsockname()[1])
    # Nobody listens at it yet, and yet only the first has it.
    with claimed_port(wanted) as first, claimed_port(wanted) as second:
        assert (first, second == wanted) == (wanted, False)
    with claimed_port(wanted) as again:
        assert again == wanted


def test_a_port_at_which_somebody_listens_is_left_too() -> None:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen()
        taken = int(listener.getsockname()[1])
        with claimed_port(taken) as found:
            assert found not in (0, taken)
