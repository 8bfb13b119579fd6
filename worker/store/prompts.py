"""The text behind every prompt version that was ever in force, and which run began with which."""

from collections.abc import Iterable, Mapping

from sqlalchemy import Connection, text

from models.vocabulary import Purpose
from worker.domain.prompts import Prompt, Prompts


def store_prompt(connection: Connection, version: str, purpose: Purpose, words: str) -> None:
    """Keeps a prompt; one that is known already stays as it is."""
    values = {"version": version, "purpose": purpose, "text": words}
    connection.execute(INSERT, values)


def store_with_pages(connection: Connection, one: Prompt) -> None:
    """Keeps a prompt with a policy's pages behind it."""
    values = {
        "version": one.version,
        "purpose": one.purpose,
        "text": one.text,
        "base": one.base,
    }
    connection.execute(INSERT_WITH_PAGES, values)


def freeze(connection: Connection, prompts: Prompts) -> dict[str, str]:
    """Keeps the prompts of a run; returns their versions by purpose."""
    for one in prompts.values():
        store_prompt(connection, one.version, one.purpose, one.text)
    return {str(purpose): one.version for purpose, one in prompts.items()}


def read_prompts(connection: Connection, versions: Iterable[str]) -> dict[str, Prompt]:
    """Prompts by version."""
    rows = connection.execute(READ, {"versions": list(versions)})
    return {
        row.version: Prompt(purpose=Purpose(row.purpose), text=row.text, version=row.version)
        for row in rows
    }


def frozen(connection: Connection, versions: Mapping[str, str] | None) -> Prompts | None:
    """The prompts that a run keeps, by the versions that it froze; None where it froze none."""
    if versions is None:
        return None
    known = read_prompts(connection, versions.values())
    return {purpose: known[version] for purpose, version in versions.items()}


class KeptPrompts:
    """Prompts with pages that a worker process knows to be stored."""

    def __init__(self) -> None:
        self._kept: set[str] = set()

    def keep(self, connection: Connection, made: Prompt) -> None:
        """Stores it, whatever became of the transaction that stored it first: it counts as kept
        when it has been read again."""
        if made.version in self._kept:
            return
        if read_prompts(connection, [made.version]):
            self._kept.add(made.version)
        else:
            store_with_pages(connection, made)


READ = text("SELECT version, purpose, text FROM prompts WHERE version = ANY(:versions)")
INSERT = text("""
INSERT INTO prompts (version, purpose, text) VALUES (:version, :purpose, :text)
ON CONFLICT (version) DO NOTHING
""")
INSERT_WITH_PAGES = text("""
INSERT INTO prompts (version, purpose, text, base) VALUES (:version, :purpose, :text, :base)
ON CONFLICT (version) DO NOTHING
""")
