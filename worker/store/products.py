"""Servers that speak PostgreSQL's protocol and are another product.

Rung's promises rest on what PostgreSQL itself does: advisory locks (CockroachDB takes them and
locks nothing), `FOR UPDATE SKIP LOCKED` in an order, deferred checks, statistics. A server that
only resembles it would keep them most of the time, so it is refused before anything is stored.
Managed PostgreSQL (RDS, Aurora, Cloud SQL, AlloyDB, Azure, Neon, Supabase) is PostgreSQL.
"""

import re

from worker.errors import ConfigurationError

OURS = re.compile(r"(?:PostgreSQL|EnterpriseDB) \d")
MARKS = {
    "-YB-": "YugabyteDB",
    "Redshift": "Amazon Redshift",
    "Greenplum": "Greenplum",
    "RisingWave": "RisingWave",
    "Materialize": "Materialize",
    "openGauss": "openGauss",
}
"""What `version()` holds of products that begin it with PostgreSQL's name, or none."""
A_NAME = re.compile(r"[A-Za-z]{2,30}")


def require_postgresql(version: str) -> None:
    """Raises ConfigurationError where `version()` says that this is another product."""
    other = other_product(version)
    if other is not None:
        raise ConfigurationError(
            f"{other} answers at DATABASE_URL. It resembles PostgreSQL, and Rung rests on locks and"
            " checks that only PostgreSQL itself has.",
            mend="point DATABASE_URL at PostgreSQL 15 or newer; a managed one is as good",
        )


def other_product(version: str) -> str | None:
    """Its name by the words of `version()`; None for PostgreSQL."""
    for mark, name in MARKS.items():
        if mark in version:
            return name
    if OURS.match(version):
        return None
    found = A_NAME.search(version)
    return found[0] if found else "Another server"
