"""The simulated Claude as a process of its own."""

import signal
import subprocess
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

from worker.errors import RungError, installing
from worker.sandbox.children import PYTHON, end, ending_with_parent, remember
from worker.sandbox.home import owner_only

START_S = 20.0


@dataclass(frozen=True, slots=True)
class SimulatorProcess:
    """A running simulator. It keeps nothing: batches that it had are gone with it."""

    url: str
    process: subprocess.Popen[bytes]

    @property
    def pid(self) -> int:
        """Of its process."""
        return self.process.pid

    def stop(self) -> None:
        """Ends it."""
        end(self.process)


def simulator_in(home: Path, latency_scale: float, seed: int) -> Callable[[], SimulatorProcess]:
    """What starts a simulator: at any free port at first, and at the same one whenever it is
    called again. Raises RungError."""
    port = 0

    def start() -> SimulatorProcess:
        nonlocal port
        options = ["--latency-scale", str(latency_scale), "--seed", str(seed), "--port", str(port)]
        started = _started(home, options)
        port = urlsplit(started.url).port or 0
        return started

    return start


def _started(home: Path, options: list[str]) -> SimulatorProcess:
    address = home / "simulator.address"
    address.unlink(missing_ok=True)
    command = [*PYTHON, "-m", "worker.sandbox.simulator", "--address-file", str(address)]
    with open(home / "simulator.log", "ab", opener=owner_only) as log:
        process = subprocess.Popen(
            [*command, *options],
            stdout=log,
            stderr=log,
            start_new_session=True,
            preexec_fn=ending_with_parent(signal.SIGTERM),
        )
    remember(home, process.pid)
    deadline = time.monotonic() + START_S
    while time.monotonic() < deadline and process.poll() is None:
        if address.exists() and (url := address.read_text("utf-8")):
            return SimulatorProcess(url, process)
        time.sleep(0.02)
    end(process)
    raise RungError(
        f"The Claude simulator did not start. Its log is {home / 'simulator.log'}.",
        mend=f"{installing('sandbox')}, or set ANTHROPIC_API_KEY",
    )
