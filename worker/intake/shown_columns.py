"""Columns that a policy shows the model, and that a file does not have: said before anything runs,
for a misspelt one would be missed by nobody."""

import difflib
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from worker.domain.backlog import Reject
from worker.domain.policy import Policy
from worker.intake.paths import column_of
from worker.intake.threads import THREAD_ID


def not_there(policy: Policy, rows: Sequence[Mapping[str, Any]]) -> list[Reject]:
    """A sentence for each, by what the first rows of a file have; nothing where there are none."""
    names = list(dict.fromkeys(str(name) for row in rows for name in row))
    if not names:
        return []
    return [Reject(1, words) for words in _sentences(policy, names)]


def _sentences(policy: Policy, names: Sequence[str]) -> Iterable[str]:
    thread = policy.context.thread_column
    wanted = [*policy.context.fields, *([thread] if thread is not None else [])]
    if thread is not None and column_of(THREAD_ID, names) is not None:
        wanted.remove(thread)  # rows of one thread are gathered in it
    for name in wanted:
        if name not in names:
            close = difflib.get_close_matches(name, names, n=1)
            hint = f"did you mean {close[0]!r}?" if close else f"there are {', '.join(names[:12])}"
            yield f"policy {policy.name} shows the column {name!r}, and no row has it; {hint}"
