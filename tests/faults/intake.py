"""Rows 12 and 13: one backlog submitted by several at once, and rows that cannot be taken."""

import json
import subprocess
from pathlib import Path

from tests.faults.broker import JOBS
from tests.faults.scenario import Scenario, Story
from tests.support.house import House
from tests.support.processes import RUNG

BIG = 20 * 1024 * 1024
DEEP = b"[" * 100_000


def backlog(home: House) -> Path:
    """Where a file may hold planted text: beside the house."""
    return home.root.parent / f"{home.root.name}-backlog.jsonl"


def row(home: House, name: str, **more: object) -> bytes:
    body = f"Where is my card? It was due on day {name}. {home.plant}"
    return json.dumps({"external_id": name, "body": body, **more}).encode()


def good_rows(home: House) -> list[bytes]:
    return [row(home, f"m{n}") for n in range(JOBS)]


def awkward_rows(home: House) -> list[bytes]:
    """Each must be named by its line, and must not keep the others out."""
    return [
        row(home, "half").replace(b"Where", b"\\ud800"),
        row(home, "big", note="x" * BIG),
        b'{"external_id": "deep", "body": "' + home.plant.encode() + b'", "x": ' + DEEP,
        b'{"external_id": "cut", "body": "' + home.plant.encode(),
        b"\xff\xfe not text at all",
        b'{"external_id": "empty", "body": ""}',
        b'{"body": "without an id"}',
        b"[1, 2]",
    ]


def begun(home: House, *arguments: str) -> subprocess.Popen[str]:
    """`rung enqueue` of the file, in a process of its own."""
    command = [*RUNG, "enqueue", str(backlog(home)), "--json", *arguments]
    return subprocess.Popen(
        command,
        env=home.environ(),
        cwd=home.root,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def at_once(times: int, *arguments: str, busy: bool = False) -> Story:
    """The same file and the same words by several processes at the same time. Whoever comes while
    another is at it with the same key is told so, and does it again."""

    def story(home: House) -> None:
        backlog(home).write_bytes(b"\n".join(good_rows(home)))
        home.at_work(home.start())
        accepted, left = 0, times
        while left:
            processes = [begun(home, *arguments) for _ in range(left)]
            for process in processes:
                out, err = process.communicate(timeout=60)
                told = "is under way" in err or "is being used just now" in err
                assert process.returncode == 0 or (busy and told), err
                if process.returncode == 0:
                    accepted += json.loads(out)["accepted"]
                    left -= 1
        home.fault(times)
        assert accepted == JOBS
        assert home.one("SELECT count(*) FROM messages") == JOBS
        assert home.one("SELECT count(*) FROM jobs") == JOBS
        home.settle()

    return story


def awkward(home: House) -> None:
    """Good rows between those that cannot be taken."""
    bad = awkward_rows(home)
    lines = [line for pair in zip(good_rows(home), bad, strict=False) for line in pair]
    backlog(home).write_bytes(b"\n".join([*lines, *good_rows(home)[len(bad) :]]))
    home.at_work(home.start())
    process = begun(home)
    out, err = process.communicate(timeout=60)
    said = json.loads(out)
    home.fault(len(bad))
    assert (process.returncode, said["accepted"], said["rejected"]) == (3, JOBS, len(bad)), err
    assert home.plant not in out + err
    assert {reject["line"] for reject in said["rejects"]} == {2 * n + 2 for n in range(len(bad))}
    home.settle()


SCENARIOS = (
    Scenario("one file by four at once", 12, at_once(4)),
    Scenario("one key by four at once", 12, at_once(4, "--key", "night", busy=True)),
    Scenario("awkward rows between good ones", 13, awkward),
)
