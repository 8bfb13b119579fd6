"""Folders of knowledge: Markdown, HTML, text, questions and answers as CSV, and exported addresses.

Everything becomes a page in Markdown, for headings are what passages are cut and named by. What
cannot be read is left out and named in a sentence; the rest is taken.
"""

import csv
import io
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from lxml import etree
from lxml.html import HtmlElement, fromstring

from worker.domain.pages import SourcePage, doubts, without_front
from worker.domain.passages import heading_of, slug
from worker.domain.validation.injection import orders
from worker.domain.validation.language import detected
from worker.errors import UsageError
from worker.intake.encodings import encoding_of
from worker.intake.exported_pages import MAX_PAGE_BYTES, entries_in
from worker.store.passages import DICTIONARIES

MAX_EXPORT_BYTES = 100_000_000
"""Of a file that holds many pages."""
MAX_PAGES = 50_000
MAX_CELL_CHARS = 200_000
KINDS = (".md", ".markdown", ".html", ".htm", ".txt", ".csv", ".json", ".jsonl")
QUESTION, ANSWER = ("question", "q", "title", "frage"), ("answer", "a", "text", "antwort")
LANGUAGES = {name: code for code, name in DICTIONARIES.items()}
"""By their English names."""
EXPORTED = (".json", ".jsonl")
_DROPPED = "//head|//script|//style|//nav|//footer|//noscript|//template|//svg|//form"


@dataclass(slots=True)
class PageFolder:
    """What a folder held: pages, and sentences about what was left out or looks odd."""

    pages: list[SourcePage] = field(default_factory=list)
    problems: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)


def read_folder(root: Path) -> PageFolder:
    """All pages below a folder, by path. Raises UsageError when there is no such folder, or it
    holds more than 50,000 files."""
    if not root.is_dir():
        raise UsageError(
            f"There is no folder {str(root)!r}.", mend="name a folder of pages, or make it"
        )
    paths = [path for path in sorted(root.rglob("*")) if path.suffix.lower() in KINDS]
    paths = [path for path in paths if not path.is_dir() and not _is_hidden(path, root)]
    home = root.resolve()
    if len(paths) > MAX_PAGES:
        raise UsageError(
            f"{root} holds {len(paths):,} pages; {MAX_PAGES:,} is the most.",
            mend="divide it into folders, and give each policy those that it needs",
        )
    found, names = PageFolder(), set[str]()
    for path in paths:
        try:
            _require_file(path, home)
            for page in _pages_of(path, path.relative_to(root), found):
                _take(found, names, page)
        except OSError as error:
            found.problems.append(f"{path}: it cannot be read ({error.strerror or error}).")
        except _Unreadable as error:
            found.problems.append(f"{path}: {error}")
    found.notes += doubts(found.pages)
    return found


def _is_hidden(path: Path, root: Path) -> bool:
    """What an editor or a version control keeps there: a wastebasket of pages, for one."""
    return any(part.startswith(".") for part in path.relative_to(root).parts)


class _Unreadable(Exception):
    """Why a page is left out, as the end of a sentence."""


def _require_file(path: Path, home: Path) -> None:
    """What stands in the folder becomes what customers are told: a link to elsewhere does not, and
    what is no file might never end."""
    try:
        where = path.resolve()
    except RuntimeError:  # a link to itself, until Python 3.13
        raise _Unreadable("it is no file.") from None
    if not where.is_relative_to(home):
        raise _Unreadable("it is a link to another folder; copy the page.")
    if not where.is_file():
        raise _Unreadable("it is no file.")


def _take(found: PageFolder, names: set[str], page: SourcePage) -> None:
    if page.name in names:
        found.problems.append(
            f"{page.path}: another page is called {page.name!r} already; rename one of the two."
        )
        return
    if not page.markdown.strip():
        found.problems.append(f"{page.path}: it holds no words.")
        return
    if orders(page.markdown):
        found.notes.append(
            f"{page.path} seems to give orders to a model; it is shown as data, and nothing in it"
            " is obeyed. Read it, and take it out if it is not yours."
        )
    names.add(page.name)
    found.pages.append(page)


def _pages_of(path: Path, within: Path, found: PageFolder) -> Iterator[SourcePage]:
    size, suffix = path.stat().st_size, path.suffix.lower()
    most = MAX_EXPORT_BYTES if suffix in EXPORTED else MAX_PAGE_BYTES
    if size > most:
        whose = "an export" if suffix in EXPORTED else "a page"
        raise _Unreadable(
            f"it has {size / 1e6:.1f} MB, and {whose} may have {most / 1e6:.0f}; cut it into pages."
        )
    text = _text(path, found)
    if not text.strip():
        raise _Unreadable("it is empty.")
    name = str(within.with_suffix(""))
    match suffix:
        case ".csv":
            yield _questions(name, str(within), text)
        case _ if suffix in EXPORTED:
            yield from _exported(str(within), text, found)
        case ".html" | ".htm":
            title, markdown = _markdown_of(text)
            yield _page(name, str(within), markdown, title=title)
        case _:
            yield _page(name, str(within), text)


def _text(path: Path, found: PageFolder) -> str:
    raw = path.read_bytes().removeprefix(b"\xef\xbb\xbf")
    if b"\x00" in raw[:4_096] and not raw.startswith((b"\xff\xfe", b"\xfe\xff")):
        raise _Unreadable("it is no text.")
    if raw.startswith((b"\xff\xfe", b"\xfe\xff")):
        return raw.decode("utf-16", "replace")
    encoding = encoding_of(raw)
    if encoding is not None:
        found.notes.append(f"{path} was read as {encoding}; save it as UTF-8 if that is wrong.")
        return raw.decode(encoding, "replace")
    text = raw.decode("utf-8", "replace").replace("\x00", "")
    if (broken := text.count("\ufffd")) > 0:
        found.notes.append(f"{path} holds {broken} broken characters, which are shown as �.")
    return text


def _page(
    name: str, path: str, markdown: str, *, title: str = "", language: str = ""
) -> SourcePage:
    """A page with what its front matter says of it, else with what its words tell."""
    known, markdown = without_front(markdown)
    heading = next((found for line in markdown.splitlines() if (found := heading_of(line))), None)
    spoken = language or known.get("language") or detected(markdown) or ""
    return SourcePage(
        name="/".join(slug(part) for part in Path(name).parts),
        path=path,
        title=known.get("title") or title or (heading[1] if heading else Path(name).name),
        markdown=markdown,
        language=LANGUAGES.get(spoken.lower(), spoken[:2].lower()) or None,
        also=known.get("also", ""),
    )


def _markdown_of(html: str) -> tuple[str, str]:
    """Title and words of an HTML page, its headings as Markdown's."""
    import html_text

    try:
        tree: HtmlElement = fromstring(html)
        title = str(tree.findtext(".//title") or "").strip()
        for element in tree.xpath(_DROPPED):
            element.drop_tree()
        for depth in range(1, 7):
            for element in tree.iter(f"h{depth}"):
                element.text = f"{'#' * depth} {' '.join(element.text_content().split())}"
                for child in list(element):
                    element.remove(child)
        words = str(html_text.extract_text(tree))
    except (etree.LxmlError, ValueError, RecursionError, TypeError):
        raise _Unreadable("its HTML cannot be read.") from None
    return title, words


def _questions(name: str, path: str, text: str) -> SourcePage:
    """A table of questions and answers: each question is a heading."""
    csv.field_size_limit(MAX_CELL_CHARS)
    try:
        dialect = csv.Sniffer().sniff(text[:8_000], ",;\t")
    except csv.Error:
        dialect = csv.excel
    try:
        reader = csv.DictReader(io.StringIO(text), dialect=dialect)
        columns = {(column or "").strip().lower(): column for column in reader.fieldnames or ()}
        question, answer = _first(columns, QUESTION), _first(columns, ANSWER)
        if question is None or answer is None:
            raise _Unreadable("it has no columns question and answer.")
        parts = [
            f"## {' '.join(str(row[question]).split())}\n\n{str(row[answer]).strip()}"
            for row in reader
            if row.get(question) and row.get(answer)
        ]
    except csv.Error as error:
        raise _Unreadable(f"its rows cannot be read ({error}).") from None
    return _page(name, path, "\n\n".join(parts), title=Path(name).name)


def _first(columns: Mapping[str, str], names: tuple[str, ...]) -> str | None:
    return next((columns[name] for name in names if name in columns), None)


def _exported(path: str, text: str, found: PageFolder) -> Iterator[SourcePage]:
    """An entry that cannot be taken is said and left out."""
    try:
        for at, entry in entries_in(text):
            if isinstance(entry, str):
                found.problems.append(f"{path}: {at} {entry}")
                continue
            title, words = entry.title, entry.words
            if entry.is_html:
                try:
                    found_title, words = _markdown_of(words)
                except _Unreadable as error:
                    found.problems.append(f"{path}: {at}: {error}")
                    continue
                title = title or found_title
            yield _page(entry.name, entry.address, words, title=title, language=entry.language)
    except ValueError as error:
        raise _Unreadable(f"it is no JSON ({error}).") from None
