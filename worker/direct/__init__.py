"""Rung without a dashboard in between: what `rung.connect` loads."""
