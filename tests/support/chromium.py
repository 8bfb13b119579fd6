"""Debian's Chromium for tests: skipped, loudly, where there is none."""

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from tests.support.web import LOCAL_TOKEN

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")
NEEDED = [
    pytest.mark.browser,
    pytest.mark.slow,
    pytest.mark.xdist_group("browser"),
    pytest.mark.skipif(
        CHROMIUM is None,
        reason="NO BROWSER, SO THE SCREENS WERE NOT LOOKED AT: apt-get install chromium",
    ),
]
BODIES = [f"A complicated case, number {n}: <b>please</b> help" for n in range(60)]

CLIPPED = """
[...document.querySelectorAll('body *')].filter(e => {
  if (e.closest('.sr, .skip, script, style, title, textarea, select')) return false
  if (![...e.childNodes].some(n => n.nodeType === 3 && n.data.trim())) return false
  const box = e.getBoundingClientRect(), svg = e.closest('svg')
  if (!box.width) return false
  if (!svg) return getComputedStyle(e).display !== 'inline' && e.scrollWidth > e.clientWidth + 1
  const room = svg.getBoundingClientRect()
  return box.left < room.left - 1 || box.right > room.right + 1
    || box.top < room.top - 1 || box.bottom > room.bottom + 1
}).map(e => e.textContent.trim().slice(0, 80))
"""
"""Texts that are wider than their place, or stand outside their drawing."""


@contextmanager
def launched() -> Iterator[Any]:
    """A browser of its own."""
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=CHROMIUM, args=["--no-sandbox", "--disable-dev-shm-usage"]
        )
        yield browser
        browser.close()


class Visit:
    """A tab, with everything that went wrong in it."""

    def __init__(self, browser: Any, url: str, **options: Any) -> None:
        self.context = browser.new_context(base_url=url, **options)
        self.page = self.context.new_page()
        self.page.set_default_timeout(15_000)
        self.wrong: list[str] = []
        self.page.on("pageerror", lambda error: self.wrong.append(str(error)))
        self.page.on("console", lambda said: self._said(said))
        self.page.goto(f"/?token={LOCAL_TOKEN}")

    def _said(self, said: Any) -> None:
        if said.type in ("error", "warning"):
            self.wrong.append(said.text)

    def close(self) -> None:
        """Ends the tab; nothing may have gone wrong."""
        self.context.close()
        assert self.wrong == []
