"""Families being filled with samples."""

from typing import Any

from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, HistogramMetricFamily

from worker.dashboard.metrics.families import METRICS


class Reading:
    """Families being filled, by name."""

    def __init__(self) -> None:
        self.families = {metric.name: metric.family() for metric in METRICS}

    def set(self, name: str, value: Any, *labels: Any) -> None:
        """Adds a sample of a counter or gauge."""
        family = self.families[name]
        assert isinstance(family, CounterMetricFamily | GaugeMetricFamily)
        family.add_metric([_label(value) for value in labels], float(value))

    def histogram(
        self, name: str, buckets: list[tuple[str, float]], total: float, *labels: str
    ) -> None:
        """Adds a histogram; buckets are cumulative."""
        family = self.families[name]
        assert isinstance(family, HistogramMetricFamily)
        family.add_metric(list(labels), buckets, total)


def _label(value: Any) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)
