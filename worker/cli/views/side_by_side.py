"""Messages beside answers, on a terminal."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import Any

from worker.cli.speech.output import console
from worker.domain.text import terminal_safe
from worker.domain.wording import dollars, state_word
from worker.store.reading.exchanges import Exchange
from worker.store.reading.side_by_side import AnswerShown, SampleShown

LONGEST = 1_200
"""Characters of a text; a longer one is cut off, and `rung show JOB --text` has all of it."""
COLUMN = 25
"""Characters that a column needs to be read."""
LEFT_OUT = ("message_id", "climbs")


def print_shown(shown: SampleShown, texts: Mapping[int, Exchange], *columns: str) -> None:
    """A row for each message: the message left, then one answer, or two; where there is no room
    for columns, one below the other."""
    from rich.table import Table
    from rich.text import Text

    names = [terminal_safe(name) for name in ("message", *columns)]
    out = console()
    narrow = out.width < COLUMN * len(names)
    table = Table(show_lines=True, expand=True)
    for name in names:
        table.add_column(name, ratio=1, overflow="fold")
    for row in shown.rows:
        sides = [one for one in (row.a, row.b) if one is not None]
        cells = [_message(row.a, texts.get(row.a.job))]
        cells += [_answer(one, texts.get(one.job)) for one in sides]
        if narrow:
            _below_one_another(names, cells)
        else:
            table.add_row(*map(Text, cells))
    if not narrow:
        out.print(table)


def _below_one_another(names: Sequence[str], cells: Sequence[str]) -> None:
    from rich.padding import Padding
    from rich.text import Text

    out = console()
    for name, cell in zip(names, cells, strict=True):
        out.print(Text(name, style="bold"))
        out.print(Padding(Text(cell), (0, 0, 0, 2), expand=False))
    out.print()


def document_of(shown: SampleShown, texts: Mapping[int, Exchange]) -> list[dict[str, Any]]:
    """As JSON values: a message and its answer; of two runs, `a` and `b`."""
    return [
        {
            "external_id": row.a.external_id,
            **_text(texts.get(row.a.job), "subject", "message"),
            **(_side(row.a, texts) if row.b is None else {}),
            **({"a": _side(row.a, texts), "b": _side(row.b, texts)} if row.b is not None else {}),
        }
        for row in shown.rows
    ]


def _side(one: AnswerShown, texts: Mapping[int, Exchange]) -> dict[str, Any]:
    known = {name: value for name, value in asdict(one).items() if name not in LEFT_OUT}
    return known | {"why": one.why, **_text(texts.get(one.job), "reply", "verdict")}


def _text(found: Exchange | None, *names: str) -> dict[str, Any]:
    return {name: getattr(found, name, None) for name in names}


def _message(one: AnswerShown, text: Exchange | None) -> str:
    about = ", ".join(filter(None, (one.channel, one.language)))
    head = f"{one.external_id}  {about}".strip()
    said = [head, text.subject or "", _cut(text.message)] if text else [head]
    return "\n".join(terminal_safe(line) for line in said if line)


def _answer(one: AnswerShown, text: Exchange | None) -> str:
    sure = f" {one.sure:.2f}" if one.sure is not None else ""
    pretended = "  simulated" if one.simulated else ""
    state = f"{one.tier or '–'}{sure}  {state_word(one.state)}  {dollars(one.cost_usd)}{pretended}"
    verdict = f"a person: {text.verdict}" if text and text.verdict else ""
    reply = _cut((text.reply if text else None) or "(no reply)")
    return "\n".join(terminal_safe(line) for line in (state, one.why, verdict, reply) if line)


def _cut(text: str) -> str:
    return text if len(text) <= LONGEST else text[:LONGEST] + " …"
