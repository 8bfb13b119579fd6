"""PromQL as a tree."""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field

AGGREGATIONS = frozenset({"sum", "max", "min", "avg", "count"})
LEVELS: tuple[frozenset[str], ...] = (
    frozenset({"or"}),
    frozenset({"and", "unless"}),
    frozenset({"==", "!=", ">", "<", ">=", "<="}),
    frozenset({"+", "-"}),
    frozenset({"*", "/"}),
)
"""Operators, those that bind least first; all of them group to the left."""
UNITS = {"ms": 0.001, "s": 1, "m": 60, "h": 3_600, "d": 86_400, "w": 604_800}
TOKEN = re.compile(
    r"\s*(?:(?P<duration>\d+(?:ms|[smhdw])(?:\d+[smhd])*)|(?P<number>\d+(?:\.\d+)?)"
    r'|(?P<text>"(?:[^"\\]|\\.)*")|(?P<word>[A-Za-z_:][\w:]*)'
    r"|(?P<sign>=~|!~|==|!=|>=|<=|[-+*/(){}\[\],=<>]))"
)
COMMENT = re.compile(r"#[^\n]*")


class NotUnderstood(Exception):
    """An expression that this reader does not know, or that nobody does."""


@dataclass(frozen=True, slots=True)
class Number:
    value: float


@dataclass(frozen=True, slots=True)
class Text:
    value: str


@dataclass(frozen=True, slots=True)
class Matcher:
    label: str
    sign: str
    value: str

    def accepts(self, value: str) -> bool:
        """A label that is not there is empty."""
        same = (
            re.fullmatch(self.value, value) is not None
            if self.sign in ("=~", "!~")
            else self.value == value
        )
        return same if self.sign in ("=", "=~") else not same


@dataclass(frozen=True, slots=True)
class Select:
    name: str
    matchers: tuple[Matcher, ...] = ()
    range_s: float | None = None
    offset_s: float = 0


@dataclass(frozen=True, slots=True)
class Call:
    name: str
    arguments: tuple["Expression", ...]


@dataclass(frozen=True, slots=True)
class Aggregate:
    op: str
    by: tuple[str, ...]
    of: "Expression"


@dataclass(frozen=True, slots=True)
class Binary:
    op: str
    left: "Expression"
    right: "Expression"
    on: tuple[str, ...] | None = None


Expression = Number | Text | Select | Call | Aggregate | Binary


def parse(text: str) -> Expression:
    """Raises NotUnderstood."""
    reader = _Reader(list(_tokens(COMMENT.sub("", text))))
    found = reader.binary(0)
    if reader.left:
        raise NotUnderstood(f"{reader.left[0][1]!r} is too much in {text!r}")
    return found


def seconds(duration: str) -> float:
    """`1h30m` as 5400."""
    parts = re.findall(r"(\d+)(ms|[smhdw])", duration)
    return sum(int(number) * UNITS[unit] for number, unit in parts)


def parts(expression: Expression) -> Iterator[Expression]:
    """The expression and everything in it."""
    yield expression
    match expression:
        case Call(_, inner):
            for one in inner:
                yield from parts(one)
        case Aggregate(_, _, of):
            yield from parts(of)
        case Binary(_, left, right):
            yield from parts(left)
            yield from parts(right)


def _tokens(text: str) -> Iterator[tuple[str, str]]:
    place = 0
    while text[place:].strip():
        match = TOKEN.match(text, place)
        if match is None or match.lastgroup is None:
            raise NotUnderstood(f"{text[place:].strip()[:20]!r} in {text!r}")
        yield match.lastgroup, match[match.lastgroup]
        place = match.end()


@dataclass(slots=True)
class _Reader:
    left: list[tuple[str, str]] = field(default_factory=list)

    def next_is(self, *values: str) -> bool:
        return bool(self.left) and self.left[0][1] in values and self.left[0][0] != "text"

    def take(self, *kinds_or_signs: str) -> str:
        if not self.left or not {*self.left[0]} & {*kinds_or_signs}:
            found = self.left[0][1] if self.left else "the end"
            raise NotUnderstood(f"{found!r} where one of {kinds_or_signs} must be")
        return self.left.pop(0)[1]

    def binary(self, level: int) -> Expression:
        if level == len(LEVELS):
            return self.one()
        left = self.binary(level + 1)
        while self.next_is(*LEVELS[level]):
            op = self.take("word", "sign")
            on = self.labels("on")
            left = Binary(op, left, self.binary(level + 1), on)
        return left

    def labels(self, word: str) -> tuple[str, ...] | None:
        if not self.next_is(word):
            return None
        self.take(word)
        self.take("(")
        found = []
        while not self.next_is(")"):
            found.append(self.take("word"))
            if not self.next_is(")"):
                self.take(",")
        self.take(")")
        return tuple(found)

    def one(self) -> Expression:
        if self.next_is("("):
            self.take("(")
            inner = self.binary(0)
            self.take(")")
            return inner
        kind = self.left[0][0] if self.left else "nothing"
        if kind == "number":
            return Number(float(self.take("number")))
        if kind == "text":
            return Text(self.take("text")[1:-1])
        name = self.take("word")
        if name in AGGREGATIONS:
            return self.aggregate(name)
        if self.next_is("("):
            return Call(name, self.arguments())
        return self.select(name)

    def aggregate(self, op: str) -> Expression:
        by = self.labels("by") or ()
        arguments = self.arguments()
        if len(arguments) != 1 or self.next_is("by", "without"):
            raise NotUnderstood(f"write it as {op} by (…) (…)")
        return Aggregate(op, by, arguments[0])

    def arguments(self) -> tuple[Expression, ...]:
        self.take("(")
        found: list[Expression] = []
        while not self.next_is(")"):
            found.append(self.binary(0))
            if not self.next_is(")"):
                self.take(",")
        self.take(")")
        return tuple(found)

    def select(self, name: str) -> Select:
        matchers, range_s, offset_s = [], None, 0.0
        if self.next_is("{"):
            self.take("{")
            while not self.next_is("}"):
                label = self.take("word")
                sign = self.take("=", "!=", "=~", "!~")
                matchers.append(Matcher(label, sign, self.take("text")[1:-1]))
                if not self.next_is("}"):
                    self.take(",")
            self.take("}")
        if self.next_is("["):
            self.take("[")
            range_s = seconds(self.take("duration"))
            self.take("]")
        if self.next_is("offset"):
            self.take("offset")
            offset_s = seconds(self.take("duration"))
        return Select(name, tuple(matchers), range_s, offset_s)
