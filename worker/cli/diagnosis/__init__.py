"""What `rung doctor` looks at, one service a module, each as lines with what mends them."""

from worker.cli.diagnosis.finding import Symptom

__all__ = ["Symptom"]
