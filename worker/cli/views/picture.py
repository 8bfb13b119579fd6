"""A live picture that fits its terminal: where that is too low for all of it, what matters least is
shortened or left out first, instead of whatever stands last being cut off."""

from collections.abc import Sequence
from dataclasses import dataclass

from rich.console import Console, ConsoleOptions, Group, RenderableType, RenderResult
from rich.text import Text

from worker.cli.speech.invocation import as_typed_here
from worker.cli.speech.output import SIMULATED
from worker.domain.text import terminal_safe

FEW = 2
"""Troubles that are named where there is no room for more."""
NOTHING = Group()
BLANKS, ASIDE, SPENT, RUNS, DISCLAIMER, BRIEF, FEWER, LAST = range(8)
"""What goes first, and what goes last."""


@dataclass(frozen=True, slots=True)
class ViewPart:
    """A part of a picture. `shorter` are forms of it, each taken at a step of what goes first;
    without one it stays as it is."""

    full: RenderableType
    shorter: Sequence[tuple[int, RenderableType]] = ()


BLANK = ViewPart(Text(), [(BLANKS, NOTHING)])
SIMULATED_PART = ViewPart(
    Text(SIMULATED, style="yellow"), [(DISCLAIMER, Text("SIMULATED", style="yellow"))]
)


class LivePicture:
    """Parts, one below another. What is no terminal has room for all of them."""

    def __init__(self, parts: Sequence[ViewPart]) -> None:
        self._parts = list(parts)

    def led_by(self, words: str) -> "LivePicture":
        """The same below a sentence about all of it."""
        return LivePicture([ViewPart(Text(f"! {words}", style="bold red")), *self._parts])

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        forms = [part.full for part in self._parts]
        room = options.size.height if console.is_terminal else None
        # Of what goes at the same step, the last goes first.
        steps = [
            (step, -place, form)
            for place, part in enumerate(self._parts)
            for step, form in part.shorter
        ]
        lines = [_height(console, options, form) for form in forms]
        taken = list[tuple[int, RenderableType, int]]()
        for _, place, form in sorted(steps, key=lambda one: one[:2]):
            if room is None or sum(lines) <= room:
                break
            taken.append((-place, forms[-place], lines[-place]))
            forms[-place], lines[-place] = form, _height(console, options, form)
        # One long part that went late may have left room for several that went before it.
        for place, fuller, high in reversed(taken):
            if room is not None and sum(lines) - lines[place] + high <= room:
                forms[place], lines[place] = fuller, high
        yield from forms


def troubles_part(told: Sequence[tuple[str, str]], styles: Sequence[str]) -> ViewPart:
    """What is wrong: each in full and in brief, with the style of each."""
    said = [
        [
            Text(f"! {as_typed_here(terminal_safe(words))}", style)
            for words, style in zip(form, styles, strict=True)
        ]
        for form in zip(*told, strict=True)
    ]
    if not said:
        return ViewPart(NOTHING)
    full, brief = said
    few = [*brief[:FEW], Text(f"! and {len(brief) - FEW} more")] if len(brief) > FEW else brief
    return ViewPart(Group(*full), [(BRIEF, Group(*brief)), (FEWER, Group(*few))])


def _height(console: Console, options: ConsoleOptions, form: RenderableType) -> int:
    free = options.update(height=None)
    return len(console.render_lines(form, free, pad=False))
