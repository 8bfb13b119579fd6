"""From a figure to the jobs that it counts. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass
from urllib.parse import urlencode

from worker.domain.filters import And, Comparison, Node, Not, Op, show

MOST_RUNS = 20
"""More runs than that are not named in an address."""


@dataclass(frozen=True, slots=True)
class Linked:
    """Words with a figure in them, and the address of the jobs that it counts."""

    words: str
    href: str | None = None


@dataclass(frozen=True, slots=True)
class JobLinks:
    """Addresses of lists of jobs of these runs, by name; without any, of none."""

    runs: Sequence[str] = ()

    def of(self, *nodes: Node) -> str | None:
        """Jobs that meet all of these."""
        if not 0 < len(self.runs) <= MOST_RUNS:
            return None
        parts = list(nodes)
        if len(self.runs) > 1:
            parts.append(Comparison(field="run", op=Op.IN, values=tuple(self.runs)))
        fields = {"run": self.runs[0]} if len(self.runs) == 1 else {}
        node = parts[0] if len(parts) == 1 else And(tuple(parts))
        return "/jobs?" + urlencode(fields | ({"where": show(node)} if parts else {}))

    def linked(self, words: str, *nodes: Node) -> Linked:
        """Words that lead to such jobs."""
        return Linked(words, self.of(*nodes))


def is_in(field: str, *values: str) -> Comparison:
    """The field is one of these."""
    return Comparison(field=field, op=Op.EQ if len(values) == 1 else Op.IN, values=values)


def is_not_in(field: str, *values: str) -> Node:
    """The field is none of these, or a job has none."""
    return Not(is_in(field, *values))
