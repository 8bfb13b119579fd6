"""`python -m rung`: the command, wherever it is called from."""

from rung.entry import forget_working_directory, run

forget_working_directory()
run()
