"""Every awkward file ends as `expected.json` prefers."""

import json
from pathlib import Path
from typing import Any

import pytest

from worker.intake import BacklogError, Reject, read_blocks

MESSY = Path(__file__).parents[2] / "data" / "messy"
EXPECTED: dict[str, Any] = json.loads((MESSY / "expected.json").read_text("utf-8"))["files"]

TAKEN_ALL_THE_SAME = frozenset(
    {"036_blank_lines.csv", "048_nan_infinity.jsonl", "057_backslash_quotes.csv"}
)
"""Of these the other acceptable end is ours: no row is rejected that can be read."""


def outcome(path: Path) -> tuple[str, int, list[int]]:
    """Status word, accepted rows, and the lines of rejected ones, as an import would see them.

    Ids that repeat are left to the database by the reader; a set stands in for it here.
    """
    seen: set[str] = set()
    rejects: list[Reject] = []
    try:
        with path.open("rb") as stream:
            for block in read_blocks(str(path), stream):
                rejects += block.rejects
                for record in block.records:
                    if record.external_id in seen:
                        rejects.append(Reject(record.line, "repeated external_id"))
                    seen.add(record.external_id)
    except BacklogError:
        return "file_rejected", 0, []
    lines = sorted(reject.line for reject in rejects)
    if not rejects:
        return "ok", len(seen), lines
    return ("partial" if seen else "all_rejected"), len(seen), lines


@pytest.mark.parametrize("name", sorted(EXPECTED))
def test_ends_as_preferred(name: str) -> None:
    expected = EXPECTED[name]
    end = expected["also_acceptable"][0] if name in TAKEN_ALL_THE_SAME else expected["preferred"]
    wanted = (end["status"], end["accepted"], end.get("rejected_lines", []))
    assert outcome(MESSY / name) == wanted
