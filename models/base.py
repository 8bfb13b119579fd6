"""What every table shares: naming convention, column types, and `CHECK`s built from vocabulary."""

import datetime as dt
from collections.abc import Iterable
from decimal import Decimal
from enum import StrEnum
from typing import Annotated, Any

from sqlalchemy import BigInteger, CheckConstraint, DateTime, MetaData, Numeric, Text, text
from sqlalchemy.dialects.postgresql import ARRAY, JSONB
from sqlalchemy.orm import DeclarativeBase, mapped_column

NAMING_CONVENTION = {
    "ix": "ix_%(table_name)s_%(column_0_N_name)s",
    "uq": "uq_%(table_name)s_%(column_0_N_name)s",
    "ck": "ck_%(table_name)s_%(constraint_name)s",
    "fk": "fk_%(table_name)s_%(column_0_N_name)s_%(referred_table_name)s",
    "pk": "pk_%(table_name)s",
}

Money = Annotated[Decimal, mapped_column(Numeric(20, 10))]
"""US dollars. Ten decimals hold one cached Haiku token at batch price (5e-9) exactly."""

Instant = Annotated[dt.datetime, mapped_column(DateTime(timezone=True))]
BigId = Annotated[int, mapped_column(BigInteger)]


class Base(DeclarativeBase):
    """Declarative base of all tables."""

    metadata = MetaData(naming_convention=NAMING_CONVENTION)
    type_annotation_map = {  # noqa: RUF012 - SQLAlchemy reads this attribute as it is
        str: Text,
        dict[str, Any]: JSONB,
        list[str]: ARRAY(Text),
    }


def one_of(column: str, words: Iterable[StrEnum], name: str | None = None) -> CheckConstraint:
    """`CHECK (column IN (…))`: text plus a check migrates more easily than a Postgres enum."""
    values = ", ".join(f"'{word.value}'" for word in words)
    return CheckConstraint(f"{column} IN ({values})", name=name or column)


def now() -> Any:
    """Server default: time is decided by the database's clock."""
    return text("now()")
