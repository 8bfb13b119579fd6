"""Random filters, as trees and as text."""

import datetime as dt
from decimal import Decimal

from hypothesis import strategies as st

from worker.domain.filters import (
    FIELDS,
    METADATA,
    ORDER,
    And,
    Comparison,
    Node,
    Not,
    Of,
    Op,
    Or,
    Value,
)

LETTERS = "abzAZ09 é.'\"-_:@\n,()=<>!&|;%\\"
COMMON = ["", "a", "A", "low", "it's", "%", "_", "1", "-2", "0.5", "1e3", "\\", "true", "É", "é"]
texts = st.sampled_from(COMMON) | st.text(LETTERS, max_size=4)
"""Few enough that filters and rows often mean the same."""
numbers = st.decimals(
    min_value=0, max_value=1, places=4, allow_nan=False, allow_infinity=False
) | st.integers(0, 5).map(Decimal)
spans = st.integers(0, 10_000).map(lambda hours: dt.timedelta(hours=hours))


@st.composite
def comparisons(draw: st.DrawFn) -> Comparison:
    """One comparison that the language allows."""
    name = draw(st.sampled_from(list(FIELDS)))
    field = FIELDS[name]
    key = draw(texts) if name == METADATA else None
    allowed = {
        Of.TEXT: (Op.EQ, Op.NE, Op.IN, Op.CONTAINS),
        Of.NUMBER: (Op.EQ, Op.NE, *ORDER, Op.IN),
        Of.SPAN: ORDER,
        Of.ANYTHING: tuple(Op),
    }[field.of]
    op = draw(st.sampled_from(allowed))
    if field.of is Of.NUMBER or (field.of is Of.ANYTHING and op in ORDER):
        values: st.SearchStrategy[Value] = numbers.filter(
            lambda n: field.most is None or n <= field.most
        )
    elif field.of is Of.SPAN:
        return Comparison(field=name, op=op, values=(draw(spans),))
    else:
        values = st.sampled_from([str(word) for word in field.words]) if field.words else texts
    count = draw(st.integers(1, 3)) if op is Op.IN else 1
    return Comparison(field=name, op=op, values=tuple(draw(values) for _ in range(count)), key=key)


def _larger(parts: st.SearchStrategy[Node]) -> st.SearchStrategy[Node]:
    several = st.lists(parts, min_size=2, max_size=3).map(tuple)
    return st.builds(Not, parts) | st.builds(And, several) | st.builds(Or, several)


trees: st.SearchStrategy[Node] = st.recursive(comparisons(), _larger, max_leaves=8)
"""Any tree that the language can say."""

WORDS = [
    *FIELDS, "and", "or", "not", "in", "contains", "(", ")", ",", "=", "!=", "<", ">=", "==", "<>",
    "review", "0.6", "7d", "'it''s'", '"', "'", "metadata.x", "metadata.", "&&", "!", "\x00", "1e9",
]  # fmt: skip
babble = st.lists(st.sampled_from(WORDS), max_size=20).map(" ".join) | st.text(max_size=60)
"""Text that is sometimes nearly a filter."""
