"""A dashboard in a process of its own, and what a hundred who look at it cost the workers."""

import asyncio
import subprocess
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

import httpx2

from benchmarks.house import House, house
from benchmarks.processes import cpu_s
from benchmarks.services import ENDS_WITHIN_S
from worker.cli.listening import listening
from worker.config.addresses import SIMULATOR_KEY
from worker.sandbox.children import end
from worker.sandbox.supervisor import dashboard_command

VIEWERS = 100
TURNS = (False, True, True, False, False, True)
"""Without and with viewers, so that a slow moment of the machine meets both."""
IN_FLIGHT = {"haiku": 64, "sonnet": 32, "opus": 16}
LATENCY_SCALE = 0.5
READY_WITHIN_S = 60.0
TOKEN = "the-token-that-benchmarks-look-with"
BEARER = f"Bearer {TOKEN}"
NO_CLAUDE = {"ANTHROPIC_API_KEY": SIMULATOR_KEY, "ANTHROPIC_BASE_URL": "http://127.0.0.1:1"}
"""An environment in which nobody is asked: what is looked at is the record."""


@dataclass(slots=True)
class Cost:
    """CPU of the worker (milliseconds a message) and of the dashboard (share of a processor)."""

    with_ms: float = 0.0
    without_ms: float = 0.0
    dashboard_with: float = 0.0
    dashboard_without: float = 0.0

    @property
    def ratio(self) -> float:
        """What a message costs with viewers, over what it costs without."""
        return self.with_ms / self.without_ms


def cost_of_viewers(*, messages: int) -> Cost:
    """Drains one backlog after another, with and without viewers."""
    spent = {True: [0.0, 0.0, 0.0], False: [0.0, 0.0, 0.0]}
    with (
        house(latency_scale=LATENCY_SCALE, in_flight=IN_FLIGHT) as home,
        dashboard(home.environ, home.home) as (url, pid),
    ):
        home.wait_for(home.hand_in("warm-up", 300), within_s=120)
        for number, looking in enumerate(TURNS):
            first = 300 + number * messages
            if looking:
                with watching(url):
                    used = _drained(home, pid, number, first, messages)
            else:
                used = _drained(home, pid, number, first, messages)
            spent[looking] = [a + b for a, b in zip(spent[looking], used, strict=True)]
    answered = messages * len(TURNS) / 2
    (with_s, with_page_s, with_wall_s), (without_s, page_s, wall_s) = spent[True], spent[False]
    return Cost(
        1000 * with_s / answered,
        1000 * without_s / answered,
        with_page_s / with_wall_s,
        page_s / wall_s,
    )


def _drained(
    home: House, dashboard_pid: int, number: int, first: int, messages: int
) -> tuple[float, float, float]:
    """CPU seconds of worker and dashboard, and the wall's."""
    worker, page, began = home.worker_cpu_s(), cpu_s(dashboard_pid), time.monotonic()
    home.wait_for(home.hand_in(f"turn-{number}", messages, first=first), within_s=300)
    return (
        home.worker_cpu_s() - worker,
        cpu_s(dashboard_pid) - page,
        time.monotonic() - began,
    )


@contextmanager
def watching(url: str, viewers: int = VIEWERS) -> Iterator[None]:
    """So many open streams of the first page and of all runs, each of which is read. Raises
    RuntimeError when one of them did not get its first event."""
    seen, enough = set[int](), threading.Event()
    loop = asyncio.new_event_loop()
    stop = asyncio.Event()

    async def look(number: int) -> None:
        at = urlsplit(url)
        reader, writer = await asyncio.open_connection(at.hostname, at.port, limit=1 << 22)
        path = "/live/now" if number % 2 else "/live/runs"
        head = f"GET {path} HTTP/1.1\r\nHost: {at.netloc}\r\nAuthorization: {BEARER}\r\n\r\n"
        writer.write(head.encode())
        while line := await reader.readline():
            if line.startswith(b"event: region"):
                seen.add(number)
                if len(seen) == viewers:
                    enough.set()

    async def all_of_them() -> None:
        looks = [asyncio.create_task(look(number)) for number in range(viewers)]
        await stop.wait()
        for one in looks:
            one.cancel()
        await asyncio.gather(*looks, return_exceptions=True)

    thread = threading.Thread(target=loop.run_until_complete, args=(all_of_them(),), daemon=True)
    thread.start()
    try:
        if not enough.wait(READY_WITHIN_S):
            raise RuntimeError(f"only {len(seen)} of {viewers} viewers see anything")
        yield
    finally:
        loop.call_soon_threadsafe(stop.set)
        thread.join(10)
        loop.close()


@contextmanager
def client_of(
    environ: Mapping[str, str], home: Path, *, timeout_s: float
) -> Iterator[httpx2.Client]:
    """A client of a dashboard that is started for it."""
    with (
        dashboard(environ, home) as (address, _),
        httpx2.Client(
            base_url=address,
            trust_env=False,
            timeout=timeout_s,
            headers={"Authorization": BEARER},
        ) as client,
    ):
        yield client


@contextmanager
def dashboard(environ: Mapping[str, str], home: Path) -> Iterator[tuple[str, int]]:
    """`rung dashboard` in a process of its own: its address and its pid."""
    with (home / "dashboard.log").open("ab") as log, listening(18_420) as listener:
        port = listener.getsockname()[1]
        process = subprocess.Popen(
            dashboard_command(listener.fileno()),
            pass_fds=[listener.fileno()],
            env={**environ, "RUNG_DASHBOARD__TOKEN": TOKEN},
            cwd=home,
            stdout=log,
            stderr=log,
        )
    try:
        url, deadline = f"http://127.0.0.1:{port}", time.monotonic() + READY_WITHIN_S
        while True:
            try:
                httpx2.get(f"{url}/healthz", trust_env=False).raise_for_status()
                break
            except httpx2.HTTPError:
                if process.poll() is not None or time.monotonic() > deadline:
                    raise RuntimeError("the dashboard did not start") from None
                time.sleep(0.1)
        yield url, process.pid
    finally:
        end(process, ENDS_WITHIN_S)
