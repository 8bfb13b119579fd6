"""On the real parts: run by `make production`, which installs them where it may.

Not collected by `make test`: these start servers of the system's, build environments and take
minutes. What a machine lacks is skipped, and named.
"""

import os

import pytest

if "PRODUCTION" not in os.environ:
    collect_ignore_glob = ["test_*.py"]


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """What was left out, loudly."""
    for report in terminalreporter.stats.get("skipped", []):
        why = report.longrepr[2]
        terminalreporter.write_line(f"*** SKIPPED, so not known: {report.nodeid}: {why}", red=True)
