"""`make screenshot`: docs/screenshot.png, the real first page half-way through the sample.

Two backlogs compete and one has a deadline that it will miss; somebody has paused a tier. So the
picture shows what the page is for: whether it will be done on time, what is wrong, which button
helps. Runs on servers of its own, in a directory of its own.
"""

import json
import os
import shutil
import sys
import tempfile
from pathlib import Path
from typing import Any

from tests.support.processes import RUNG, clean_environ, process, rung
from tests.support.waiting import eventually
from worker.cli.speech.output import talk

ROOT = Path(__file__).parents[2]
BACKLOG = ROOT / "examples" / "backlog.jsonl"
TARGET = ROOT / "docs" / "screenshot.png"
SIZE = {"width": 1280, "height": 1330}
LATENCY_SCALE = "12"
"""So slow that half-way lasts long enough to be photographed."""
HALF = 420


def main() -> None:
    """Writes the picture."""
    chromium = shutil.which("chromium") or shutil.which("chromium-browser")
    if chromium is None:
        sys.exit("There is no chromium: apt-get install chromium")
    home = Path(tempfile.mkdtemp(prefix="rung-shot-"))
    environ = clean_environ(RUNG_HOME=str(home / "rung"), LOGNAME="ada")
    log = home / "up.log"
    try:
        command = [*RUNG, "up", "--latency-scale", LATENCY_SCALE]
        with process(command, log=log, environ=environ, cwd=home) as started:
            eventually(
                lambda: "Ready" in log.read_text() or started.poll() is not None, within_s=90
            )
            _make_trouble(environ, home)
            _photograph(chromium, json.loads((home / "rung" / "services.json").read_text()))
    finally:
        shutil.rmtree(home, ignore_errors=True)
    talk(f"{TARGET.relative_to(ROOT)}: {TARGET.stat().st_size // 1000} kB")


def _make_trouble(environ: dict[str, str], home: Path) -> None:
    def run(*arguments: str) -> str:
        done = rung(*arguments, environ=environ, cwd=home)
        if done.returncode != 0:
            sys.exit(f"rung {' '.join(arguments)}: {done.stderr}")
        return done.stdout

    survey = home / "survey.jsonl"
    rows = [json.loads(line) for line in BACKLOG.read_text("utf-8").splitlines()]
    lines = [json.dumps({**row, "external_id": f"s-{row['external_id']}"}) for row in rows[:300]]
    survey.write_text("\n".join(lines), "utf-8")
    realtime = ("--lane", "realtime")
    run("enqueue", str(survey), "--run", "survey", "--budget", "2", *realtime)
    run("enqueue", str(BACKLOG), "--run", "monday", "--budget", "5", "--deadline", "4m", *realtime)
    run("pause", "opus", "--reason", "its answers came in English only; asked Anthropic")

    def ended() -> bool:
        return bool(json.loads(run("status", "monday", "--json"))["ended"] >= HALF)

    eventually(ended, within_s=400, every_s=1)


def _photograph(chromium: str, services: dict[str, Any]) -> None:
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        arguments = ["--no-sandbox"] if os.geteuid() == 0 else []
        browser = playwright.chromium.launch(executable_path=chromium, args=arguments)
        page = browser.new_page(viewport=SIZE)  # type: ignore[arg-type]
        page.goto(services["dashboard_url"])
        page.locator("#pulse", has_text="live").wait_for()
        page.screenshot(path=TARGET)
        browser.close()


if __name__ == "__main__":
    main()
