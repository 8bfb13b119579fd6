"""Intake of files that are not a row a line: a workbook with shared strings, as Excel writes it,
and pretty-printed JSON inside a wrapper, as a helpdesk's API gives it. What counts is memory:
whoever exports a year must not need a larger machine."""

import itertools
import json
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import IO
from xml.sax.saxutils import escape

from benchmarks.figures import Figure, Finding
from benchmarks.house import backlog
from benchmarks.intake import enqueued
from benchmarks.services import database
from tests.support.excel_parts import FRAME, MAIN, SHEET, STRINGS

ROWS, QUICK_ROWS = 1_000_000, 50_000
MOST_MB = 200
HEADER = ("Ticket ID", "Description", "Requester", "email")


def run(*, quick: bool = False) -> Finding:
    """Memory in MB, of the whole `rung enqueue` process."""
    rows = QUICK_ROWS if quick else ROWS
    figures, detail = [], {"rows": float(rows)}
    for name, write in (("workbook.xlsx", _write_workbook), ("wrapped.json", _write_json)):
        with database() as environ:
            path = Path(environ["RUNG_HOME"]) / name
            write(path, rows)
            spent = enqueued(environ, path, rows)
        figures.append(Figure(f"memory of {name}", spent.peak_mb, MOST_MB, True, " MB"))
        detail |= {f"{name} rows_s": rows / spent.wall_s, f"{name} cpu_s": spent.cpu_s}
    return Finding("shapes", tuple(figures), detail)


def _write_json(path: Path, rows: int) -> None:
    with path.open("w", encoding="utf-8") as out:
        out.write('{\n  "count": 1,\n  "tickets": [\n')
        for number, one in enumerate(itertools.islice(backlog(), rows)):
            ticket = {"id": one.external_id, "description": one.body, "via": {"channel": "email"}}
            out.write(",\n" * (number > 0) + json.dumps(ticket, indent=4, ensure_ascii=False))
        out.write("\n  ]\n}\n")


def _write_workbook(path: Path, rows: int) -> None:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as archive:
        for name, content in FRAME.items():
            archive.writestr(name, content)
        with archive.open(STRINGS, "w", force_zip64=True) as out:
            _write_in(out, "sst", "", _strings(rows))
        with archive.open(SHEET, "w", force_zip64=True) as out:
            _write_in(out, "worksheet", "sheetData", _cells(rows))


def _write_in(out: IO[bytes], root: str, inner: str, pieces: Iterator[str]) -> None:
    out.write(f"<{root} {MAIN}>{f'<{inner}>' if inner else ''}".encode())
    for piece in pieces:
        out.write(piece.encode())
    out.write(f"{f'</{inner}>' if inner else ''}</{root}>".encode())


def _strings(rows: int) -> Iterator[str]:
    yield from (f"<si><t>{word}</t></si>" for word in HEADER)
    for one in itertools.islice(backlog(), rows):
        body = "".join(sign for sign in one.body[:32_000] if sign >= " " or sign == "\n")
        yield f"<si><t>{escape(one.external_id)}</t></si><si><t>{escape(body)}</t></si>"


def _cells(rows: int) -> Iterator[str]:
    yield _row(1, 0, 1, 2)
    for number in range(rows):
        yield _row(number + 2, len(HEADER) + 2 * number, len(HEADER) + 2 * number + 1, 3)


def _row(number: int, *strings: int) -> str:
    there = zip("ABC", strings, strict=True)
    cells = "".join(f'<c r="{name}{number}" t="s"><v>{s}</v></c>' for name, s in there)
    return f'<row r="{number}">{cells}</row>'
