"""Pages as a person reads them: words, tables, forms, links."""

import re
from dataclasses import dataclass, field
from html.parser import HTMLParser
from typing import Any

import httpx2

VOID = frozenset({"meta", "link", "input", "img", "br", "rect", "path", "polygon", "polyline"})


@dataclass(slots=True)
class Element:
    """One element of a page."""

    tag: str
    attributes: dict[str, str]
    parts: list["Element | str"] = field(default_factory=list)

    @property
    def text(self) -> str:
        """Its words, with single spaces."""
        found = [part if isinstance(part, str) else f" {part.text} " for part in self.parts]
        return re.sub(r"\s+", " ", "".join(found)).strip()

    def all(self, tag: str, **wanted: str) -> list["Element"]:
        """Elements inside with this tag and these attributes; `cls` is one of its classes."""
        found = []
        for part in self.parts:
            if isinstance(part, Element):
                if part.tag == tag and part.has(wanted):
                    found.append(part)
                found += part.all(tag, **wanted)
        return found

    def has(self, wanted: dict[str, str]) -> bool:
        """Whether it has these attributes."""
        return all(
            value in self.attributes.get("class", "").split()
            if name == "cls"
            else self.attributes.get(name.replace("_", "-")) == value
            for name, value in wanted.items()
        )


class Page(HTMLParser):
    """A parsed page."""

    def __init__(self, html: str) -> None:
        super().__init__(convert_charrefs=True)
        self.html, self.root = html, Element("page", {})
        self._open = [self.root]
        self.feed(html)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        element = Element(tag, {name: value or "" for name, value in attrs})
        self._open[-1].parts.append(element)
        if tag not in VOID:
            self._open.append(element)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        element = Element(tag, {name: value or "" for name, value in attrs})
        self._open[-1].parts.append(element)

    def handle_endtag(self, tag: str) -> None:
        for place in range(len(self._open) - 1, 0, -1):
            if self._open[place].tag == tag:
                del self._open[place:]
                return

    def handle_data(self, data: str) -> None:
        self._open[-1].parts.append(data)

    @property
    def text(self) -> str:
        """All its words."""
        return self.root.text

    def rows(self, table: str) -> list[dict[str, str]]:
        """The rows of the table with this class: the heading's words, then `data-name` by words."""
        (found,) = self.root.all("table", cls=table)
        rows = []
        for row in found.all("tbody")[0].all("tr"):
            cells = {cell.attributes.get("data-name", ""): cell.text for cell in row.all("td")}
            rows.append({"": row.all("th")[0].text} | {k: v for k, v in cells.items() if k})
        return rows

    def links(self) -> list[str]:
        """Addresses of all links."""
        return [link.attributes["href"] for link in self.root.all("a")]

    def form(self, action: str, method: str = "post") -> dict[str, str]:
        """The fields of the form with this address, as a browser would send them untouched."""
        (found,) = self.root.all("form", action=action, method=method)
        return {
            field.attributes["name"]: field.attributes.get("value", "")
            for field in found.all("input")
            if "name" in field.attributes and field.attributes.get("type") != "radio"
        }


def get_page(client: httpx2.Client, path: str, status: int = 200, **query: Any) -> Page:
    """The page at a path."""
    answer = client.get(path, params=query or None)
    assert answer.status_code == status, answer.text[:2_000]
    return Page(answer.text)


def jobs_on(page: Page) -> list[int]:
    """Ids of the jobs that a list shows, in its order."""
    return [int(m[1]) for link in page.links() if (m := re.fullmatch(r"/jobs/(\d+)", link))]
