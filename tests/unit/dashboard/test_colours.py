"""Every tier has a colour of its own, as far as a ladder can reach, and none is without."""

import re
from pathlib import Path

from worker.dashboard.pages import rendering
from worker.domain.ladder import MAX_RUNGS

CSS = Path(rendering.__file__).with_name("static") / "rung.css"
QUEUES = ["routing", *(f"tier-{n}" for n in range(1, 8))]


def test_the_style_sheet_has_a_colour_for_every_rung_of_a_ladder() -> None:
    # given
    places = {rendering.tier_place(QUEUES, name) for name in (*QUEUES, "person", "gone")}
    # when
    css = CSS.read_text("utf-8")
    rules = dict(re.findall(r"\.t-(\w+) { --tier: var\(--(\w+)\); }", css))
    schemes = re.findall(r"--t0: [^\n]+", css)
    # then
    assert places == set(rules) == {"0", "person", *map(str, range(1, MAX_RUNGS + 1))}
    assert len(set(rules.values())) == len(rules)
    assert len(schemes) == 2, "a light one and a dark one"
    for scheme in schemes:
        colours = dict(re.findall(r"--(\w+): (#\w+);", scheme))
        assert {colours[name] for name in rules.values()} == set(colours.values())


def test_a_sixth_tier_takes_the_first_colour_again() -> None:
    assert [rendering.tier_place(QUEUES, f"tier-{n}") for n in (1, 5, 6, 7)] == [
        "1", "5", "1", "2"
    ]  # fmt: skip
