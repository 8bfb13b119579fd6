"""Words in drawings do not wrap by themselves: none is cut, however large its figures are."""

from itertools import pairwise

from tests.unit.dashboard.test_drawing import MODELS, TIERS, step
from worker.dashboard.screens.drawn_words import in_lines, width
from worker.dashboard.screens.ladder import picture
from worker.dashboard.screens.links import Linked


def test_figures_of_any_size_stand_in_lines_that_fit_and_apart() -> None:
    many = 188_888
    counts = dict.fromkeys(
        [("queued", ""), ("submitted", ""), ("dead", ""), ("cancelled", ""),
         ("submitted", "haiku"), ("answered", "haiku"), ("dead", "haiku")], many)  # fmt: skip
    steps = [
        step("haiku", to, why, many)
        for to in ("sonnet", "opus", "person")
        for why in ("low_confidence", "refused:cyber", "placeholder", "truncated")
    ]
    found = picture(TIERS, counts, steps, MODELS, runs=["day"])
    for drawing in (found.wide, found.narrow):
        lines = [line for row in drawing.rows for line in row.lines]
        for line in lines:
            words = " · ".join(one.words for one in line.figures)
            assert line.x + width(words, line.kind) <= drawing.width, words
            assert 0 < line.y < drawing.height
        for x in {line.x for line in lines}:
            ys = sorted(line.y for line in lines if line.x == x)
            assert min(b - a for a, b in pairwise(ys)) >= 14
        said = " ".join(one.words for line in lines for one in line.figures)
        assert "188,888 of them in batches" in said.replace(" · ", " ")
        (routing,) = [row for row in drawing.rows if row.rung.kind == "ground"]
        waiting = [one for line in routing.lines if line.kind == "busy-words"
                   for one in line.figures]  # fmt: skip
        assert len(waiting) == 2
        assert len({one.href for one in waiting}) == 1


def test_a_figure_is_broken_after_a_comma_or_else_between_words() -> None:
    figure = Linked("5 routed, 3 of them in batches", "/jobs")
    lines = in_lines(
        [figure, Linked("7 dead")], "busy-words", width("3 of them in batches", "why") * 1.2
    )
    assert [[one.words for one in line] for line in lines] == [
        ["5 routed,"], ["3 of them in batches"], ["7 dead"]
    ]  # fmt: skip
    assert [one.href for line in lines for one in line] == ["/jobs", "/jobs", None]
    narrow = in_lines([figure], "busy-words", width("5 routed,", "busy-words"))
    assert [one.words for (one,) in narrow] == ["5 routed,", "3 of them", "in", "batches"]
