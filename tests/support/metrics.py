"""What `/metrics` says, as numbers."""

from typing import Any

from prometheus_client.parser import text_string_to_metric_families
from sqlalchemy import Engine, text

from tests.support.web import browsing

Labels = frozenset[tuple[str, str]]
Seen = dict[tuple[str, Labels], float]


def scraped(url: str) -> Seen:
    """Every sample of `/metrics`."""
    with browsing(url) as client:
        answer = client.get("/metrics")
    assert answer.status_code == 200, answer.text
    return {
        (sample.name, frozenset(sample.labels.items())): sample.value
        for family in text_string_to_metric_families(answer.text)
        for sample in family.samples
    }


def of(seen: Seen, name: str, *keep: str) -> dict[Any, float]:
    """Samples of a metric, summed by the labels to keep; a single one without its tuple."""
    sums: dict[Any, float] = {}
    for (found, labels), value in seen.items():
        if found == name:
            values = tuple(dict(labels)[label] for label in keep)
            key = values[0] if len(values) == 1 else values
            sums[key] = sums.get(key, 0) + value
    return sums


def sql(engine: Engine, statement: str) -> dict[Any, float]:
    """Rows whose last column is a number, by the others."""
    with engine.connect() as connection:
        rows = [tuple(row) for row in connection.execute(text(statement))]
    return {row[0] if len(row) == 2 else row[:-1]: float(row[-1]) for row in rows}


def without_zeros(samples: dict[Any, float]) -> dict[Any, float]:
    return {key: value for key, value in samples.items() if value}
