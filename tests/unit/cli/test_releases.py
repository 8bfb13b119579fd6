"""Which security fixes a server lacks, by its number."""

import pytest

from worker.cli.diagnosis.releases import what_it_lacks

OLD_LINE = "is of a line that gets no security fixes any more"


@pytest.mark.parametrize(
    ("product", "version", "lacks"),
    [
        ("Redis", "8.2.8", "lacks security fixes that came with 8.2.9"),
        ("Redis", "8.2.9", None),
        ("Redis", "8.2.10", None),
        ("Redis", "6.2.14", "lacks security fixes that came with 6.2.24"),
        ("Redis", "7.0.15", OLD_LINE),
        ("Redis", "8.0.6", OLD_LINE),
        ("Redis", "8.12.0", None),
        ("Valkey", "8.0.6", "lacks security fixes that came with 8.0.10"),
        ("Valkey", "8.1.9+dfsg1", None),
        ("Valkey", "9.1.1", None),
        ("Valkey", "9.2.0", None),
        ("PostgreSQL", "15.12 (Debian 15)", "lacks security fixes that came with 15.19"),
        ("PostgreSQL", "18.6", None),
        ("PostgreSQL", "18beta1", "lacks security fixes that came with 18.6"),
        ("PostgreSQL", "19devel", None),
        ("PostgreSQL", "13.23", OLD_LINE),
    ],
)  # fmt: skip
def test_a_release_is_judged_by_its_line(product: str, version: str, lacks: str | None) -> None:
    found = what_it_lacks(product, version)
    assert (found[0] if found else None) == lacks


def test_what_helps_names_a_release_and_leaves_room_for_a_distribution() -> None:
    line = what_it_lacks("Redis", "7.2.4")
    none = what_it_lacks("Redis", "7.0.15")
    assert line is not None
    assert none is not None
    assert line[1].startswith("upgrade to 7.2.16, unless your distribution")
    assert "7.2.16, 7.4.11, 8.2.9" in none[1]
