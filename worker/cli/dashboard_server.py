"""The dashboard's server: uvicorn's, which ends when it is told, whatever a page waits for."""

import socket
from collections.abc import Sequence
from contextlib import suppress
from types import FrameType

import uvicorn

from worker.cli.speech.interruption import end_within

STOP_S = 2
"""A request that is under way may take so long when the server is told to end."""


class DashboardServer(uvicorn.Server):
    """A page that waits for a Postgres that hangs waits in a thread, which nobody can end: so the
    process ends."""

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        """SIGINT and SIGTERM: no more requests, and the end."""
        end_within(STOP_S + 1, 0)
        super().handle_exit(sig, frame)


def serve(server: DashboardServer, listeners: Sequence[socket.socket]) -> None:
    """Until SIGINT or SIGTERM, which uvicorn hands on when it has ended."""
    with suppress(KeyboardInterrupt):
        server.run(sockets=[*listeners])
    if not server.started:
        raise SystemExit(1)
