"""An embedded server that is started again where it was ended: by a person, by the system for want
of memory, by a bug of its own. Whoever uses it finds it at the same address."""

from collections.abc import Callable

import psycopg

from worker.errors import RungError
from worker.sandbox.children import started_at
from worker.sandbox.claude import SimulatorProcess
from worker.sandbox.postgres import Postgres
from worker.sandbox.redis import Redis

Server = Postgres | Redis | SimulatorProcess


class EmbeddedServer:
    """Started at once, and running until `stop`."""

    def __init__(self, name: str, start: Callable[[], Server]) -> None:
        self.name, self._start = name, start
        self.server: Server = start()

    def stop(self) -> None:
        """Ends the server."""
        self.server.stop()

    def revive(self) -> str | None:
        """Starts it again if it has ended, and says so. Raises RungError."""
        if started_at(self.server.pid) is not None:
            return None
        if not isinstance(self.server, Postgres):
            self.server.process.wait()
        try:
            self.server = self._start()
        except psycopg.Error:
            raise RungError(f"{self.name} had ended, and does not start yet.") from None
        return f"{self.name} had ended, and was started again."
