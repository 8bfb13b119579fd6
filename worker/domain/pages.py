"""A page of knowledge as it was read, and what is wrong with a folder of them."""

import hashlib
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from worker.domain.passages import PagePassage, cut

VERSION_CHARS = 12
_FRONT = re.compile(r"\A---\r?\n(.*?)\r?\n---\r?\n", re.DOTALL)
_FRONT_LINE = re.compile(r"^(title|language|also):[ \t]*[\"']?(.+?)[\"']?[ \t\r]*$", re.MULTILINE)


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
    return dict(_FRONT_LINE.findall(front[1])), markdown[front.end() :]


def version_of_pages(pages: Iterable[tuple[str, str]]) -> str:
    """The version of a folder, of its pages' names and versions in any order."""
    listed = "\n".join(f"{name} {version}" for name, version in sorted(pages))
    return hashlib.sha256(listed.encode("utf-8", "replace")).hexdigest()[:VERSION_CHARS]


def doubts(pages: Sequence[SourcePage]) -> list[str]:
    """What a person should know of pages that were taken, as sentences."""
    titles: dict[str, list[str]] = {}
    for page in pages:
        titles.setdefault(page.title.casefold(), []).append(page.path)
    return [
        f"{' and '.join(paths[:3])}{' and others' if len(paths) > 3 else ''} have one title,"
        f" {pages_title(pages, paths[0])!r}: customers may be told either."
        for paths in titles.values()
        if len(paths) > 1
    ]


def pages_title(pages: Sequence[SourcePage], path: str) -> str:
    """The title of the page at a path."""
    return next(page.title for page in pages if page.path == path)
