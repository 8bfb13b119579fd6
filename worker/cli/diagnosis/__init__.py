"""What `rung doctor` looks at, one service a module, each as lines with what mends them."""

from worker.cli.diagnosis.finding import Finding

__all__ = ["Finding"]
