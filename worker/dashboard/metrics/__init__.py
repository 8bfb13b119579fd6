"""`/metrics` for Prometheus and `/healthz` for probes."""
