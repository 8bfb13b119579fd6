"""Pictures of runs, jobs and comparisons for a terminal."""
