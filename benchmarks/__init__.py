"""How fast and how big: every figure is a ratio measured in one run (`python -m benchmarks`)."""
