"""What is stored of the team's pages, for people who look."""

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import Connection, text

from worker.store.rows import values_of


@dataclass(frozen=True, slots=True, kw_only=True)
class FolderStanding:
    """A folder: its version, how much is in it, and when it was last synced."""

    name: str
    version: str
    pages: int
    passages: int
    chars: int
    synced_at: dt.datetime
    now: dt.datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class PageStanding:
    """A page: its version, and when that came."""

    name: str
    title: str
    path: str
    language: str | None
    version: str
    changed_at: dt.datetime
    now: dt.datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class PageSection:
    """A passage of a page under the id that answers cite."""

    name: str
    heading: str
    text: str


def folder_standings(connection: Connection) -> list[FolderStanding]:
    """Every folder that was synced, by name."""
    return values_of(FolderStanding, connection.execute(FOLDERS))


def page_standings(
    connection: Connection, folder: str, after: str, limit: int
) -> Sequence[PageStanding]:
    """Pages of a folder by name, beyond `after`."""
    values = {"folder": folder, "after": after, "limit": limit}
    return values_of(PageStanding, connection.execute(PAGES, values))


def page_sections(connection: Connection, folder: str, page: str) -> list[PageSection]:
    """What a page says, in its order; empty for one that is not there."""
    return values_of(PageSection, connection.execute(SECTIONS, {"folder": folder, "page": page}))


FOLDERS = text("""
SELECT f.name, f.version, f.passages, f.chars, f.synced_at, now() AS now, (
  SELECT count(*) FROM knowledge_pages WHERE folder_id = f.id)::bigint AS pages
FROM knowledge_folders AS f ORDER BY f.name
""")
PAGES = text("""
SELECT p.name, p.title, p.path, p.language, p.version, p.changed_at, now() AS now
FROM knowledge_pages AS p
WHERE p.folder_id = (SELECT id FROM knowledge_folders WHERE name = :folder) AND p.name > :after
ORDER BY p.name LIMIT :limit
""")
SECTIONS = text("""
SELECT name, heading, text FROM knowledge_passages
WHERE folder_id = (SELECT id FROM knowledge_folders WHERE name = :folder) AND page = :page
ORDER BY place
""")
