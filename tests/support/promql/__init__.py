"""As much of Prometheus as our rules and dashboards use, so that they are tested without it.

`parsing` reads expressions, `evaluating` gives their value over series, `functions` holds what
looks at samples, `rules` decides which alerts fire, and `series` reads promtool's notation. What is
not known here is an error, never a guess. Where promtool is installed,
`tests/unit/alerts/test_promtool.py` holds all of it against the real thing.
"""
