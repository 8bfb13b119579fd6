"""`rung alive`: which part a container runs, and whether it answers."""

import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import pytest

from tests.support.cli import say
from worker.cli import alive
from worker.cli.alive import ContainerPart, command_lines, part_of
from worker.sandbox.redis import free_port


@pytest.mark.parametrize(
    ("line", "part"),
    [
        (
            "python /opt/rung/bin/celery -A worker.app worker -Q haiku",
            ContainerPart.WORKER,
        ),
        ("python /opt/rung/bin/rung worker -Q haiku", ContainerPart.WORKER),
        (
            "python /opt/rung/bin/celery -A worker.app beat -l INFO",
            ContainerPart.SCHEDULER,
        ),
        ("python /opt/rung/bin/rung dashboard", ContainerPart.DASHBOARD),
        ("python /opt/rung/bin/rung db upgrade", None),
        ("python /opt/rung/bin/rung alive", None),
        ("/sbin/docker-init -- rung", None),
        ("bash worker dashboard", None),
    ],
)
def test_a_command_line_tells_which_part_it_is(line: str, part: ContainerPart | None) -> None:
    assert part_of(line.split()) is part


def test_processes_are_read_as_the_kernel_shows_them(tmp_path: Path) -> None:
    for pid, words in (("1", b"/bin/rung\0dashboard\0"), ("self", b"x")):
        (tmp_path / pid).mkdir()
        (tmp_path / pid / "cmdline").write_bytes(words)
    assert list(command_lines(tmp_path)) == [["/bin/rung", "dashboard", ""]]


@pytest.fixture
def dashboard() -> Iterator[int]:
    """A port at which something answers as a dashboard does."""

    class Well(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200 if self.path == "/healthz" else 404)
            self.end_headers()

        def log_message(self, format: str, *args: object) -> None:
            pass

    with HTTPServer(("127.0.0.1", 0), Well) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield server.server_port
        server.shutdown()
        thread.join()


def test_what_answers_is_well_and_what_does_not_is_not(
    dashboard: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    # given
    running = [["rung", "dashboard"]]
    monkeypatch.setattr(alive, "command_lines", lambda: iter(running))
    # then
    assert say("alive", "--port", str(dashboard)).code == 0
    said = say("alive", "--port", str(free_port()))
    assert (said.code, "does not answer" in said.err) == (1, True)
    running.clear()
    assert say("alive").code == 1


@pytest.mark.parametrize(("answers", "code"), [(True, 0), (False, 1)])
def test_a_worker_is_asked_by_its_host(
    monkeypatch: pytest.MonkeyPatch, answers: bool, code: int
) -> None:
    monkeypatch.setattr(alive, "command_lines", lambda: iter([["celery", "worker"]]))
    monkeypatch.setattr(alive, "worker_answers", lambda host: bool(host) and answers)
    assert say("alive").code == code
