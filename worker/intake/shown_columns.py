"""What a policy shows the model, and what is not there: columns that a file does not have, pages
that were never synced. It is said before anything runs, for nobody would miss it."""

from collections.abc import Iterable, Mapping, Sequence
from shlex import quote
from typing import Any

from sqlalchemy import Engine

from worker.domain.backlog import WHOLE_FILE, Reject
from worker.domain.looked_up import OWN as OURS
from worker.domain.policy import Policy
from worker.domain.wording import nearest_name
from worker.intake.paths import column_of
from worker.intake.threads import THREAD_ID
from worker.store.passages import stored_folders


def not_there(
    policy: Policy,
    rows: Sequence[Mapping[str, Any]],
    asked_by: Mapping[str, Sequence[str]] | None = None,
    found: Iterable[str] = (),
) -> list[Reject]:
    """A sentence for each, by what the first rows of a file have; nothing where there are none.
    `asked_by` are the columns that look-ups go by, `found` those of ours that stand in columns of
    other names."""
    names = list(dict.fromkeys(str(name) for row in rows for name in row))
    if not names:
        return []
    there = {*names, *(name for name in found if name in OURS)}
    sentences = list(_sentences(policy, names))
    for lookup, columns in (asked_by or {}).items():
        for column in columns:
            if column not in there:
                sentences.append(
                    f"look-up {lookup} goes by the column {column!r}, and no row has it, so it"
                    f" finds nothing; {_hint(column, names)}"
                )
    return [Reject(WHOLE_FILE, words) for words in sentences]


def never_synced(policy: Policy, engine: Engine | None) -> list[Reject]:
    """A sentence for each of the policy's folders that no search knows."""
    if engine is None or not policy.knowledge:
        return []
    with engine.connect() as connection:
        synced = stored_folders(connection)
    return [
        Reject(
            WHOLE_FILE,
            f"policy {policy.name} shows the pages of {folder!r}, and they were never synced, so it"
            f" answers without them; run: rung knowledge sync {quote(folder)}",
        )
        for folder in policy.knowledge
        if folder not in synced
    ]


def _sentences(policy: Policy, names: Sequence[str]) -> Iterable[str]:
    thread = policy.context.thread_column
    wanted = [*policy.context.fields, *([thread] if thread is not None else [])]
    if thread is not None and column_of(THREAD_ID, names) is not None:
        wanted.remove(thread)  # rows of one thread are gathered in it
    for name in wanted:
        if name not in names:
            hint = _hint(name, names)
            yield f"policy {policy.name} shows the column {name!r}, and no row has it; {hint}"


def _hint(name: str, names: Sequence[str]) -> str:
    near = nearest_name(name, names)
    return f"did you mean {near!r}?" if near else f"there are {', '.join(names[:12])}"
