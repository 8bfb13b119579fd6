"""Parses a filter by hand: one function for each line of the grammar.

```
filter     = any
any        = all { "or" all }
all        = one { "and" one }
one        = "not" one | "(" any ")" | comparison
comparison = field sign value | field ["not"] "in" "(" value { "," value } ")"
           | field ["not"] "contains" value
field      = NAME | "metadata." KEY
```

Bounded: characters (`MAX_LENGTH`), depth, comparisons, and values of one list.
"""

from typing import NoReturn

from worker.domain.filter_tokens import FilterError, Token, tokens_of
from worker.domain.filters import (
    CHANGED,
    FIELDS,
    KEYWORDS,
    KNOWLEDGE,
    METADATA,
    OPS,
    And,
    Comparison,
    Field,
    Node,
    Not,
    Op,
    Or,
    Value,
    close_to,
    value_of,
)

MAX_DEPTH = 20
MAX_COMPARISONS = 100
MAX_VALUES = 200
SIGNS = {op.value: op for op in (Op.EQ, Op.NE, Op.LT, Op.LE, Op.GT, Op.GE)}
_PREFIX = METADATA + "."


def parse(text: str) -> Node:
    """The filter as a tree. Raises FilterError, whose message points at the word."""
    return _FilterParser(text).whole()


class _FilterParser:
    """Reads tokens from left to right; nothing is read twice."""

    def __init__(self, text: str) -> None:
        self._text = text
        self._tokens = tokens_of(text)
        self._at = 0
        self._depth = self._comparisons = 0
        self._last_field: str | None = None

    def whole(self) -> Node:
        if self._ends():
            self._fail("The filter is empty; write for example: state = review", self._now)
        node = self._any()
        rest = self._now
        if rest.is_sign(")"):
            self._fail("This ) closes nothing.", rest)
        if not self._ends():
            self._fail("Between two comparisons stands `and` or `or`.", rest)
        return node

    @property
    def _now(self) -> Token:
        return self._tokens[self._at]

    def _ends(self) -> bool:
        return self._now.kind == "end"

    def _take(self) -> Token:
        token = self._now
        self._at = min(self._at + 1, len(self._tokens) - 1)
        return token

    def _fail(self, sentence: str, token: Token, end: Token | None = None) -> NoReturn:
        raise FilterError(sentence, self._text, token.start, (end or token).end)

    def _any(self) -> Node:
        parts = [self._all()]
        while self._now.is_word("or"):
            self._take()
            parts.append(self._all())
        return parts[0] if len(parts) == 1 else Or(tuple(parts))

    def _all(self) -> Node:
        parts = [self._one()]
        while self._now.is_word("and"):
            self._take()
            parts.append(self._one())
        return parts[0] if len(parts) == 1 else And(tuple(parts))

    def _one(self) -> Node:
        if not (self._now.is_word("not") or self._now.is_sign("(")):
            return self._comparison()
        opened = self._take()
        self._depth += 1
        if self._depth > MAX_DEPTH:
            self._fail(f"Nested more than {MAX_DEPTH} deep.", opened)
        if opened.kind == "word":
            node: Node = Not(self._one())
        else:
            node = self._any()
            if not self._now.is_sign(")"):
                self._fail("This ( is never closed.", opened)
            self._take()
        self._depth -= 1
        return node

    def _comparison(self) -> Node:
        self._comparisons += 1
        if self._comparisons > MAX_COMPARISONS:
            self._fail(f"More than {MAX_COMPARISONS} comparisons.", self._now)
        name, key = self._field()
        field = FIELDS[name]
        if name == KNOWLEDGE and self._now.is_word(CHANGED):
            self._take()
            return Comparison(field=name, op=Op.EQ, values=(CHANGED,), key=key)
        turned = self._now.is_word("not")
        if turned:
            self._take()
        op = self._op(name, field, turned)
        values = self._list(name, field) if op is Op.IN else (self._value(name, field, op),)
        found = Comparison(field=name, op=op, values=values, key=key)
        return Not(found) if turned else found

    def _field(self) -> tuple[str, str | None]:
        token = self._take()
        if token.kind == "end":
            self._fail("The filter ends where a comparison was to come.", token)
        if token.kind != "word" or token.text.lower() in KEYWORDS:
            self._fail("Here a comparison begins, with the name of a field.", token)
        name = token.text.lower()
        if name.startswith(_PREFIX):
            return METADATA, self._key(token)
        if name == METADATA:
            self._fail("metadata needs a key: metadata.KEY", token)
        if name not in FIELDS:
            self._fail(self._no_field(token.text), token)
        self._last_field = name
        return name, None

    def _key(self, token: Token) -> str:
        """The key may be quoted: `metadata."order id"`."""
        key = token.text[len(_PREFIX) :]
        if not key and self._now.kind == "quoted" and self._now.start == token.end:
            return self._take().text
        if not key:
            self._fail("metadata needs a key: metadata.KEY", token)
        return key

    def _no_field(self, name: str) -> str:
        last = self._last_field
        if last is not None and name.lower() in [word.lower() for word in FIELDS[last].words]:
            return f"{name!r} is no field; for several values write: {last} in (…, {name})"
        names = (*(field for field in FIELDS if field != METADATA), "metadata.KEY")
        hint = close_to(name, tuple(FIELDS)) or f"; there are {', '.join(names)}."
        return f"There is no field {name!r}{hint}"

    def _op(self, name: str, field: Field, turned: bool) -> Op:
        token = self._take()
        allowed = [op for op in OPS[field.of] if not turned or op in (Op.IN, Op.CONTAINS)]
        found = SIGNS.get(token.text) if token.kind == "sign" else None
        for op in (Op.IN, Op.CONTAINS):
            found = op if token.is_word(op) else found
        if found not in allowed:
            after = f"{name} not" if turned else name
            self._fail(f"After {after} comes one of: {' '.join(allowed) or 'nothing'}", token)
        return found

    def _value(self, name: str, field: Field, op: Op) -> Value:
        token = self._take()
        if token.kind == "end":
            self._fail(f"The filter ends where a value for {name} was to come.", token)
        if token.kind == "sign":
            self._fail(f"Here a value for {name} was to come.", token)
        if token.kind == "word" and token.text.lower() in KEYWORDS:
            self._fail(f"{token.text} is a word of the language; quote it to mean a value.", token)
        return value_of(name, field, op, token, self._text)

    def _list(self, name: str, field: Field) -> tuple[Value, ...]:
        opened = self._take()
        if not opened.is_sign("("):
            self._fail("After in comes a list: in (a, b)", opened)
        values = [self._value(name, field, Op.IN)]
        while self._now.is_sign(","):
            self._take()
            values.append(self._value(name, field, Op.IN))
            if len(values) > MAX_VALUES:
                self._fail(f"More than {MAX_VALUES} values in one list.", opened)
        if not self._now.is_sign(")"):
            self._fail("This list is never closed.", opened)
        self._take()
        return tuple(values)
