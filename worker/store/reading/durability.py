"""Whether what the server says is committed is on its disk."""

from dataclasses import dataclass

from sqlalchemy import Connection, text


@dataclass(frozen=True, kw_only=True, slots=True)
class Durability:
    """As this session has it. `whole_pages` is True too where the storage writes none in part."""

    flushed: bool
    whole_pages: bool
    waited_for: bool


def durability(connection: Connection) -> Durability:
    """What survives when that machine loses its power."""
    return Durability(**connection.execute(LASTS).mappings().one())


# Aurora's storage takes records of the log and no pages.
LASTS = text("""
SELECT current_setting('fsync') = 'on' AS flushed,
  current_setting('full_page_writes') = 'on' OR to_regproc('aurora_version') IS NOT NULL
    AS whole_pages,
  current_setting('synchronous_commit') <> 'off' AS waited_for
""")
