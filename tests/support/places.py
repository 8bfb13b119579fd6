"""Where things lie in the checkout, for tests at any depth."""

from pathlib import Path

ROOT = Path(__file__).parents[2]
DATA = ROOT / "tests" / "data"
SAMPLE = ROOT / "examples" / "backlog.jsonl"
