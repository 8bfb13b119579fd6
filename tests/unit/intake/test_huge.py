"""The five big files end as `expected.json` prefers, in a process that stays small."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

MESSY = Path(__file__).parents[2] / "data" / "messy"
EXPECTED: dict[str, Any] = json.loads((MESSY / "expected.json").read_text("utf-8"))[
    "generated_by_generate_huge_py"
]
MOST_MB = 200

READER = """
import json, re, sys
from pathlib import Path
from worker.intake import read_blocks

accepted, rejects = 0, []
with open(sys.argv[1], "rb") as stream:
    for block in read_blocks(sys.argv[1], stream):
        accepted += len(block.records)
        rejects += [(reject.line, reject.reason) for reject in block.rejects]
# Not ru_maxrss: on Linux a child begins with its parent's, and pytest's may be large.
peak = re.search(r"VmHWM:\\s+(\\d+) kB", Path("/proc/self/status").read_text())
peak_mb = int(peak[1]) / 1024
print(json.dumps({"accepted": accepted, "rejects": rejects, "peak_mb": peak_mb}))
"""


@pytest.fixture(scope="module")
def huge(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the files, about 90 MB."""
    folder = tmp_path_factory.mktemp("huge")
    subprocess.run([sys.executable, MESSY / "generate_huge.py", folder], check=True)
    return folder


def test_each_ends_as_preferred_in_little_memory(huge: Path) -> None:
    found = {path.name: read(path) for path in sorted(huge.iterdir())}
    assert {name: (one["accepted"], [line for line, _ in one["rejects"]])
            for name, one in found.items()} == {
        name: (one["preferred"]["accepted"], one["preferred"]["rejected_lines"])
        for name, one in EXPECTED.items()
    }  # fmt: skip
    assert {name: one["peak_mb"] for name, one in found.items() if one["peak_mb"] > MOST_MB} == {}
    assert all(len(reason) < 200 for one in found.values() for _, reason in one["rejects"])


def read(path: Path) -> dict[str, Any]:
    """What a process of its own makes of the file, and the most memory that it took."""
    done = subprocess.run(
        [sys.executable, "-c", READER, path], check=True, capture_output=True, text=True
    )
    found: dict[str, Any] = json.loads(done.stdout)
    return found
