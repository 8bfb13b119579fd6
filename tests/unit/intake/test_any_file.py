"""Whatever programs and mail programs write is read as those who wrote it read it;
and a file that ends anywhere loses no row before its end, and makes none up.

What is compared with are Python's csv, json, mailbox and html.parser on the same bytes.
"""

import csv
import datetime as dt
import io
import json
import mailbox
import tempfile
from collections.abc import Sequence
from email.message import EmailMessage
from html.parser import HTMLParser
from pathlib import Path

from hypothesis import example, given, settings
from hypothesis import strategies as st

from tests.unit.intake.taking import Taken, taken
from tests.unit.intake.test_any_bytes import storable
from worker.intake import ReadingOptions

ODD = "\u2028\u2029\x85\ufeff\x0b\x0c\x1c\x1e\u200b\xa0"
"""What some take for the end of a line, or for nothing."""
words = st.text(st.sampled_from(f"ab é漢,;\"'\t\r\n<&{ODD}"), max_size=12)
lines_ = st.text(st.sampled_from(f"ab é漢,;\"'\t<&{ODD}"), max_size=12)
ids = st.integers(0, 10**9).map(lambda number: f"T-{number}")
EXAMPLES = 40
at = st.integers(0, 10**6)
NAMED = ReadingOptions(columns={"external_id": "external_id", "body": "body"})


def accounted(found: Taken, rows: int) -> None:
    """Each row one record or one reject, and each of them can be stored."""
    storable(found)
    assert len(found.records) + len(found.rejects) == rows, found


def begins(short: Taken, whole: Taken, *, but: int = 1) -> None:
    """A file that was cut off says what the whole one does, but for the last rows of it."""
    storable(short)
    sure = short.records[: max(len(short.records) - but, 0)]
    assert sure == whole.records[: len(sure)]
    assert len(short.records) + len(short.rejects) <= len(whole.records) + len(whole.rejects)


# Text.


@settings(max_examples=EXAMPLES)
@given(
    st.lists(st.tuples(ids, words, words), min_size=1, max_size=8, unique_by=lambda row: row[0]),
    st.booleans(), at,
       st.sampled_from(["\n", "\r\n", "\r"]))  # fmt: skip
def test_a_table_is_what_pythons_csv_reads(
    rows: Sequence[tuple[str, str, str]], marked: bool, cut: int, end: str
) -> None:
    # given
    out = io.StringIO(newline="")
    writer = csv.writer(out, lineterminator=end, quoting=csv.QUOTE_ALL)
    writer.writerows([("external_id", "body", "note"), *rows])
    data = out.getvalue().encode("utf-8-sig" if marked else "utf-8")
    # when
    found = taken("x.csv", data, options=NAMED)
    # then
    read = list(csv.reader(io.StringIO(out.getvalue(), newline="")))[1:]
    accounted(found, len(read))
    told = {record.external_id: record for record in found.records}
    assert [tuple(one) for one in read] == [*rows]
    assert {*told, *(one.external_id for one in found.rejects)} == {row[0] for row in rows}
    for external_id, body, note in rows:
        if record := told.get(external_id):
            assert record.body == body or "<" in body
            assert (record.metadata or {}).get("note", "") == note
    begins(taken("x.csv", data[: cut % (len(data) + 1)], options=NAMED), found)


@settings(max_examples=EXAMPLES)
@given(st.lists(st.tuples(ids, words), min_size=1, max_size=8), st.booleans(), at,
       st.sampled_from(["\n", "\r\n"]))  # fmt: skip
def test_lines_of_json_end_where_json_says(
    rows: Sequence[tuple[str, str]], marked: bool, cut: int, end: str
) -> None:
    # given
    made = [json.dumps({"external_id": i, "body": b}, ensure_ascii=False) for i, b in rows]
    data = end.join(made).encode("utf-8-sig" if marked else "utf-8")
    # when
    found = taken("x.jsonl", data)
    # then
    accounted(found, len(rows))
    assert sorted(r.line for r in (*found.records, *found.rejects)) == list(range(1, len(rows) + 1))
    for record in found.records:
        external_id, body = rows[record.line - 1]
        assert (record.external_id, record.body) == (external_id, body) or "<" in body
    begins(taken("x.jsonl", data[: cut % (len(data) + 1)]), found)


@settings(max_examples=EXAMPLES)
@given(st.lists(st.tuples(ids, words), min_size=1, max_size=8), st.booleans(), at,
       st.sampled_from(["\n", "\r\n", "\r"]), st.sampled_from([None, 1]))  # fmt: skip
def test_a_list_of_json_is_what_json_reads(
    rows: Sequence[tuple[str, str]], marked: bool, cut: int, end: str, indent: int | None
) -> None:
    # given
    document = [{"external_id": i, "body": b} for i, b in rows]
    said = json.dumps(document, ensure_ascii=False, indent=indent).replace("\n", end)
    data = said.encode("utf-8-sig" if marked else "utf-8")
    # when
    found = taken("x.json", data)
    # then
    accounted(found, len(rows))
    read = [(one["external_id"], one["body"]) for one in json.loads(said)]
    assert {(r.external_id, r.body) for r in found.records if "<" not in r.body} <= set(read)
    short = taken("x.json", data[: cut % (len(data) + 1)])
    begins(short, found, but=0)
    assert short.refused or short.rejects or len(short.records) == len(found.records)


# Mail.

said_ = st.lists(
    st.sampled_from(
        ["Hello", "From ann@x Tue Nov 24 08:15:00 2026", "From now on", ">From b", "", "--q", ".",
         "é漢", "From: me", "a\u2028b", "a\x85b", "\ufeffa", " indented", "end"]
    ),
    min_size=1, max_size=6,
)  # fmt: skip


def mails(bodies: Sequence[list[str]]) -> tuple[bytes, list[tuple[str, str]]]:
    """A mailbox as Python writes it, and what Python reads of it: ids and bodies."""
    with tempfile.TemporaryDirectory() as folder:
        box = mailbox.mbox(f"{folder}/x.mbox")
        for number, body in enumerate(bodies):
            mail = EmailMessage()
            mail["From"], mail["Subject"] = "ann@x.example", "Parcel"
            mail["Message-ID"] = f"<{number}@x>"
            mail.set_content("\n".join(body))
            known = mailbox.mboxMessage(mail)
            known.set_from("ann@x.example", dt.datetime(2026, 11, 24, 8, 15).timetuple())  # noqa: DTZ001
            box.add(known)
        box.flush()
        read = []
        for one in box:
            payload = one.get_payload(decode=True)
            assert isinstance(payload, bytes)
            read.append((one["Message-ID"].strip("<>"), payload.decode()))
        box.close()
        return Path(folder, "x.mbox").read_bytes(), read


def unquoted(body: str) -> str:
    """Without the sign before what would have parted the mailbox."""
    return "\n".join(
        line.removeprefix(">") if line.lstrip(">").startswith("From ") else line
        for line in body.splitlines()
    ).strip()


@settings(max_examples=EXAMPLES)
@given(st.lists(said_, min_size=1, max_size=4), at, st.booleans())
@example([["Hello", "", "From ann@x Tue Nov 24 08:15:00 2026", "x"], ["y"]], 0, False)
def test_a_mailbox_is_what_python_reads(
    bodies: Sequence[list[str]], cut: int, windows: bool
) -> None:
    # given
    data, read = mails(bodies)
    if windows:
        data = data.replace(b"\n", b"\r\n")
    # when
    found = taken("x.mbox", data)
    # then
    accounted(found, len(bodies))
    told = {record.external_id: record.body for record in found.records}
    for external_id, body in read:
        if external_id in told:
            assert unquoted(told[external_id]) == unquoted(body)
    begins(taken("x.mbox", data[: cut % (len(data) + 1)]), found)


# HTML.


class Seen(HTMLParser):
    """The words between the tags that a browser would show."""

    def __init__(self) -> None:
        super().__init__()
        self.hidden, self.words = 0, list[str]()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.hidden += tag in ("script", "style", "title")

    def handle_endtag(self, tag: str) -> None:
        self.hidden -= tag in ("script", "style", "title") and self.hidden > 0

    def handle_data(self, data: str) -> None:
        if not self.hidden:
            self.words += data.split()


tags = st.sampled_from(["p", "div", "br", "b", "td", "tr", "table", "a", "blockquote", "ul", "li",
                        "script", "style", "span", "pre", "center", "h1", "font"])  # fmt: skip
pieces = (
    tags.map(lambda tag: f"<{tag}>")
    | tags.map(lambda tag: f"</{tag}>")
    | st.integers(0, 99).map(lambda number: f" w{number} ")
    | st.sampled_from(
        [
            "<!-- c -->",
            "&amp;",
            "&lt;p&gt;",
            "\r\n",
            "\u2028",
            "\ufeff",
            "&#0;",
            '<a href="x">',
            "<br/>",
            "1 < 2",
            "&nbsp;",
        ]
    )
)


@settings(max_examples=EXAMPLES)
@given(st.lists(pieces, max_size=20).map("".join), at)
def test_no_word_of_html_gets_lost(markup: str, cut: int) -> None:
    for said in (markup, markup[: cut % (len(markup) + 1)]):
        # given
        row = json.dumps({"external_id": "a", "body": f"w100 {said}"})
        # when
        found = taken("x.jsonl", row.encode())
        # then
        accounted(found, 1)
        seen = Seen()
        seen.feed(f"w100 {said}")
        for record in found.records:
            there = record.body.split()
            missing = [word for word in seen.words if word.startswith("w") and word not in there]
            assert not missing or record.body == f"w100 {said}", missing
