"""`python -m worker.cli`: the console script, wherever its directory is."""

from worker.cli.main import run

run()
