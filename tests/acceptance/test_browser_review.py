"""Reviews by keyboard alone, in Debian's Chromium."""

from typing import Any

import pytest
from sqlalchemy import Engine

from tests.support.chromium import NEEDED, Visit
from tests.support.promises import do, one

pytestmark = NEEDED


@pytest.mark.usefixtures("worked")
def test_keys_accept_edit_reject_skip_and_undo(chromium: Any, url: str, engine: Engine) -> None:
    # given
    do(engine, "UPDATE jobs SET state = 'review', reason = 'low_confidence' WHERE id IN (5, 6, 7)")
    visit = Visit(chromium, url)
    page = visit.page
    page.goto("/review")
    page.get_by_role("link", name="Judge them one by one").click()
    page.locator("h1", has_text="1 of 4").wait_for()
    for keys, then in (
        (["a"], "2 of 4"),
        (["u"], "1 of 4"),
        (["s"], "2 of 4"),
        (["r", *"no proof", "Enter"], "3 of 4"),
        (["e", *"Dear ", "Control+Enter"], "4 of 4"),
        (["a"], "1 message waits for a person"),
    ):
        # when
        for key in keys:
            page.keyboard.press("Space" if key == " " else key)
        # then
        page.locator("h1", has_text=then).wait_for()
    said = one(engine, "SELECT array_agg(verdict ORDER BY id), max(reason), bool_or(reply LIKE"
               " '%Dear %') FROM reviews")  # fmt: skip
    assert tuple(said) == (["reject", "edit", "accept"], "no proof", True)
    visit.close()
