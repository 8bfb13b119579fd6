"""A page of knowledge as it was read, and what is wrong with a folder of them."""

import hashlib
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from worker.domain.passages import PagePassage, cut

VERSION_CHARS = 12
_FRONT = re.compile(r"\A---\r?\n(.*?)\r?\n---\r?\n", re.DOTALL)
_FRONT_NAMES = ("title", "language", "also")


@dataclass(frozen=True, slots=True, kw_only=True)
class SourcePage:
    """A page in Markdown. `name` is what its passages' ids begin with."""

    name: str
    path: str
    title: str
    markdown: str
    language: str | None = None
    also: str = ""
    """Words that customers use for it: it is found by them, and they are shown to nobody."""

    @property
    def version(self) -> str:
        """By content: the same words have the same version."""
        said = f"{self.title}\n{self.language}\n{self.also}\n{self.markdown}"
        return hashlib.sha256(said.encode("utf-8", "replace")).hexdigest()[:VERSION_CHARS]

    def passages(self) -> list[PagePassage]:
        """Its sections."""
        return cut(self.name, self.markdown, self.language)


def without_front(markdown: str) -> tuple[Mapping[str, str], str]:
    """What the front matter of a page says (`title`, `language`, `also`), and the page after it."""
    front = _FRONT.match(markdown)
    if front is None:
        return {}, markdown
    said = (line.partition(":") for line in front[1].splitlines())
    known = {name: _unquoted(value.strip()) for name, _, value in said if name in _FRONT_NAMES}
    return {name: value for name, value in known.items() if value}, markdown[front.end() :]


def _unquoted(value: str) -> str:
    return value[1:-1] if value[:1] == value[-1:] and value[:1] in ("'", '"') else value


def version_of_pages(pages: Iterable[tuple[str, str]]) -> str:
    """The version of a folder, of its pages' names and versions in any order."""
    listed = "\n".join(f"{name} {version}" for name, version in sorted(pages))
    return hashlib.sha256(listed.encode("utf-8", "replace")).hexdigest()[:VERSION_CHARS]


def doubts(pages: Sequence[SourcePage]) -> list[str]:
    """What a person should know of pages that were taken, as sentences."""
    titles: dict[str, list[SourcePage]] = {}
    for page in pages:
        titles.setdefault(page.title.casefold(), []).append(page)
    return [
        f"{' and '.join(page.path for page in of_one[:3])}"
        f"{' and others' if len(of_one) > 3 else ''} have one title,"
        f" {of_one[0].title!r}: customers may be told either."
        for of_one in titles.values()
        if len(of_one) > 1
    ]
