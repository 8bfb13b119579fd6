"""What the operator wrote: `rung.toml` and the environment, read once, checked, frozen."""
