"""`rung dashboard` as a process of its own, with few files that it may open: what strangers send it
is bounded, and what it logs says who, from where, and no parameter."""

import contextlib
import json
import resource
import socket
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Iterator
from http.client import HTTPException
from pathlib import Path

import pytest

from tests.support import parts
from tests.support.deployment import deployment
from tests.support.processes import RUNG
from tests.support.waiting import eventually
from worker.dashboard.access.passwords import hash_password
from worker.sandbox.redis import free_port

pytestmark = pytest.mark.slow
OPEN_FILES, HALF_SENT = 512, 700
PASSWORD, PLANTED = "a long pass phrase", "PLANTEDPARAMETER"


class Site:
    """A dashboard that people sign in to, its log, and one browser without redirects."""

    def __init__(self, port: int, log: Path, memory: Path) -> None:
        self.port, self.log, self._memory = port, log, memory
        self.cookie = ""

    def ask(self, path: str, form: dict[str, str] | None = None, timeout_s: float = 10) -> int:
        """The status; 0 where nothing came back."""
        data = urllib.parse.urlencode(form).encode() if form is not None else None
        request = urllib.request.Request(f"http://127.0.0.1:{self.port}{path}", data)
        request.add_header("Cookie", self.cookie)
        opener = urllib.request.build_opener(_Staying)
        try:
            with opener.open(request, timeout=timeout_s) as answer:
                return int(answer.status)
        except urllib.error.HTTPError as error:
            self.cookie = str(error.headers.get("set-cookie") or self.cookie).partition(";")[0]
            return error.code
        except (OSError, HTTPException):
            return 0

    def sign_in(self, name: str, password: str) -> int:
        """By the form."""
        return self.ask("/login", {"name": name, "password": password})

    def lines(self) -> list[dict[str, object]]:
        """What it logged; its first lines are for whoever started it."""
        found = self.log.read_text("utf-8").splitlines()
        return [json.loads(line) for line in found if not line.startswith("Dashboard ")]

    def memory_mb(self) -> float:
        """Resident, at most so far."""
        status = (self._memory / "status").read_text()
        return int(status.partition("VmHWM:")[2].split()[0]) / 1024


class _Staying(urllib.request.HTTPRedirectHandler):
    def redirect_request(self, *_: object) -> None:
        """Nowhere: the answer is an error of its status."""


@pytest.fixture
def environ(tmp_path: Path, database_url: str, redis_url: str) -> Iterator[dict[str, str]]:
    with deployment(
        tmp_path, database=database_url, redis=redis_url, straight=database_url
    ) as made:
        yield made.environ | {
            "RUNG_DASHBOARD__SECRET": "s" * 40,
            "RUNG_DASHBOARD__USERS__OPS__PASSWORD": hash_password(PASSWORD),
            "RUNG_DASHBOARD__USERS__OPS__ROLE": "operator",
        }


@contextlib.contextmanager
def served(root: Path, environ: dict[str, str], log: str = "dashboard.log") -> Iterator[Site]:
    port = free_port()
    few = lambda: resource.setrlimit(resource.RLIMIT_NOFILE, (OPEN_FILES, OPEN_FILES))  # noqa: E731
    command = [*RUNG, "dashboard", "--port", str(port)]
    with parts.running(command, root / log, env=environ, cwd=root, preexec_fn=few) as process:
        site = Site(port, root / log, Path(f"/proc/{process.pid}"))
        eventually(lambda: site.ask("/healthz") == 200, within_s=120)
        yield site


def test_half_a_request_and_a_head_without_end_keep_nobody_out(
    tmp_path: Path, environ: dict[str, str]
) -> None:
    with served(tmp_path, environ) as site, contextlib.ExitStack() as stack:
        before = site.memory_mb()
        # when more half requests come than it may open files
        for _ in range(HALF_SENT):
            wire = stack.enter_context(socket.create_connection(("127.0.0.1", site.port), 10))
            with contextlib.suppress(OSError):
                wire.sendall(b"GET / HTTP/1.1\r\nHost: 127.0.0.1\r\nX: ")
        # then others are answered
        assert [site.ask("/healthz") for _ in range(5)] == [200] * 5
        # and a head that does not end is refused long before it fills the memory
        endless = stack.enter_context(socket.create_connection(("127.0.0.1", site.port), 10))
        endless.sendall(b"GET / HTTP/1.1\r\nHost: 127.0.0.1\r\nX: ")
        with pytest.raises(OSError):  # noqa: PT011 - a reset, or a pipe that is closed
            endless.sendall(b"x" * 80_000_000)
        assert site.ask("/healthz") == 200
        assert site.memory_mb() - before < 60


def test_the_log_says_who_and_whence_and_no_parameter(
    tmp_path: Path, environ: dict[str, str]
) -> None:
    with served(tmp_path, environ) as site:
        site.sign_in(PLANTED, "x")
        site.sign_in("ops", f"{PLANTED}\nforged line")
        site.ask(f"/api/jobs?where={PLANTED}")
        site.ask("/api/session%0Aforged")
        assert site.sign_in("ops", PASSWORD) == 303
        assert site.ask(f"/api/jobs?where={PLANTED}") == 400
        site.ask("/api/actions", {"action": PLANTED})
        lines = site.lines()
    # then every line is one JSON object, and says what it must
    assert PLANTED not in site.log.read_text("utf-8")
    told = {(line["event"], line.get("user"), line.get("address")) for line in lines}
    assert {
        ("sign-in refused", "ops", "127.0.0.1"),
        ("sign-in refused", None, "127.0.0.1"),
        ("signed in", "ops", "127.0.0.1"),
    } <= told
    assert ("asked", "ops", "127.0.0.1") in told
    assert all(line["at"] and line["level"] for line in lines)


def test_a_session_that_was_ended_stays_ended_over_a_restart(
    tmp_path: Path, environ: dict[str, str]
) -> None:
    with served(tmp_path, environ) as site:
        assert site.sign_in("ops", PASSWORD) == 303
        kept = site.cookie
        assert site.ask("/api/session") == 200
        site.ask("/logout", {"csrf_token": _csrf(site)})
        site.cookie = kept
        assert site.ask("/api/session") == 401
    with served(tmp_path, environ, "again.log") as site:
        site.cookie = kept
        assert site.ask("/api/session") == 401
        assert site.sign_in("ops", PASSWORD) == 303
        assert site.ask("/api/session") == 200


def _csrf(site: Site) -> str:
    request = urllib.request.Request(f"http://127.0.0.1:{site.port}/api/session")
    request.add_header("Cookie", site.cookie)
    with urllib.request.urlopen(request, timeout=10) as answer:
        return str(json.load(answer)["csrf_token"])
