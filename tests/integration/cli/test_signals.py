"""A command ends when it is told to, whatever it waits for."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.processes import clean_environ

STUBBORN = """
import sys, time
from worker.cli.speech import interruption
interruption.END_WITHIN_S = {within}
listener = interruption.Interruption()
listener.listen()
word = "ready"
while True:
    try:
        print(word, flush=True)
        time.sleep(60)
    except KeyboardInterrupt:
        word = "heard"
        {then}
"""


def told(
    signals: list[signal.Signals], *, within: float = 60.0, then: str = "pass"
) -> tuple[int, str]:
    """The exit code and the words of a command that waits for what does not come."""
    with subprocess.Popen(
        [sys.executable, "-c", STUBBORN.format(within=within, then=then)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as command:
        assert command.stdout is not None
        assert command.stdout.readline() == "ready\n"
        for number in signals:
            command.send_signal(number)
            command.stdout.readline()
        _, said = command.communicate(timeout=20)
        return command.returncode, said


@pytest.mark.parametrize(
    ("signals", "code"),
    [
        ([signal.SIGINT, signal.SIGINT], 130),
        ([signal.SIGTERM, signal.SIGTERM], 143),
        ([signal.SIGTERM, signal.SIGINT], 143),
    ],
)
def test_the_second_signal_ends_it_at_once(signals: list[signal.Signals], code: int) -> None:
    assert told(signals) == (code, "\nInterrupted again: ended at once.\n")


def test_after_the_first_it_is_not_waited_for_long() -> None:
    code, said = told([signal.SIGINT], within=0.1)
    assert code == 130
    assert "a server does not answer" in said


def test_what_was_asked_for_before_is_not_put_off() -> None:
    later = "interruption.end_within(60, 7)"
    assert told([signal.SIGTERM], within=0.1, then=later)[0] == 143


@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_a_command_says_that_it_was_interrupted(
    number: signal.Signals, code: int, tmp_path: Path, database_url: str
) -> None:
    # given
    reader, writer = os.pipe()
    command = [sys.executable, "-c", WAITING]
    with subprocess.Popen(
        command, stdin=reader, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
        cwd=tmp_path, env=clean_environ(DATABASE_URL=database_url),
    ) as waiting:  # fmt: skip
        assert waiting.stdout is not None
        waiting.stdout.readline()
        # when
        waiting.send_signal(number)
        _, said = waiting.communicate(timeout=20)
    os.close(reader)
    os.close(writer)
    # then
    assert (waiting.returncode, said) == (code, "\nInterrupted.\n")


WAITING = """
import sys
from worker.cli import main
def command():
    print("ready", flush=True)
    sys.stdin.read()
main.cli.main = lambda *_, **__: command()
main.run([])
"""
