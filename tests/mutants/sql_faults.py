"""Single faults made of a statement: each conjunct and each term of it left out, one at a time.

A condition that is joined by AND (or stands alone) becomes `true`, one that is joined by OR, or
chooses a branch of a CASE, becomes `false`; a term that is added, subtracted or multiplied is left
out, GREATEST is left with one of its arguments, and rows that others hold are waited for.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass

TOKEN = re.compile(r"'(?:[^']|'')*'|--[^\n]*|[A-Za-z_][\w.]*|[0-9.]+|=>|::|<=|>=|<>|\S")
OPENS = ("WHERE", "ON", "HAVING", "WHEN")
ENDS = frozenset(
    (
        *("ORDER", "GROUP", "LIMIT", "FOR", "RETURNING", "UNION", "EXCEPT", "OFFSET", "THEN"),
        *("ELSE", "END", "WHEN", "JOIN", "LEFT", "CROSS", "FULL", "WHERE", "HAVING", "DO"),
        *("SET", "FROM", "WINDOW", ",", ";"),
    )
)
AFTER_TERM = frozenset(
    (
        *("=", "<", ">", "<=", ">=", "<>", "AND", "OR", "IS", "IN", "AS", "+", "-", "*", "/"),
        *("||", "::", "BETWEEN", "LIKE", "NOT"),
    )
)


@dataclass(frozen=True, slots=True)
class Token:
    """A word or sign, where it stands, and how many parentheses are open around it."""

    word: str
    start: int
    end: int
    depth: int

    @property
    def key(self) -> str:
        return self.word.upper()


@dataclass(frozen=True, slots=True)
class SqlFault:
    """`text` with what stands between `start` and `end` replaced."""

    start: int
    end: int
    instead: str

    def of(self, text: str) -> str:
        """The statement with the fault."""
        return text[: self.start] + self.instead + text[self.end :]


def tokens_of(text: str) -> list[Token]:
    """Words and signs of a statement; a parenthesis counts to the inside of neither side."""
    found, depth = list[Token](), 0
    for match in TOKEN.finditer(text):
        word = match.group()
        if word.startswith("--"):
            continue
        depth -= word == ")"
        found.append(Token(word, match.start(), match.end(), depth))
        depth += word == "("
    return found


def faults_of(text: str) -> list[SqlFault]:
    """Every fault of a statement, in order, each once."""
    tokens = tokens_of(text)
    found = {*_conditions(tokens), *_terms(tokens), *_greatest(tokens), *_locks(tokens)}
    found = {one for one in found if text[one.start : one.end].lower() != one.instead}
    return sorted(found, key=lambda fault: (fault.start, fault.end, fault.instead))


def _conditions(tokens: list[Token]) -> Iterator[SqlFault]:
    for place, token in enumerate(tokens):
        opens = token.key in OPENS and not _is_conflict(tokens, place)
        inside = token.word == "(" and not _follows(tokens, place, ("SELECT", "WITH", "VALUES"))
        if not (opens or inside):
            continue
        depth = token.depth + (1 if inside else 0)
        parts, joints = _split(tokens, place + 1, depth)
        if inside and not joints:
            continue
        alone = "false" if token.key == "WHEN" and not joints else "true"
        for number, (first, last) in enumerate(parts):
            beside = joints[number - 1] if number else joints[0] if joints else ""
            instead = {"OR": "false", "AND": "true"}.get(beside, alone)
            yield SqlFault(tokens[first].start, tokens[last].end, instead)


def _is_conflict(tokens: list[Token], place: int) -> bool:
    """`ON CONFLICT` and `DISTINCT ON` open no condition."""
    return tokens[place].key == "ON" and (
        tokens[place + 1].key == "CONFLICT" or tokens[place - 1].key == "DISTINCT"
    )


def _follows(tokens: list[Token], place: int, words: tuple[str, ...]) -> bool:
    return place + 1 < len(tokens) and tokens[place + 1].key in words


def _split(tokens: list[Token], start: int, depth: int) -> tuple[list[tuple[int, int]], list[str]]:
    """Operands at this depth as ranges of tokens, and the ANDs and ORs between them."""
    parts, joints = list[tuple[int, int]](), list[str]()
    first, place, between, cases = start, start, False, 0
    while place < len(tokens):
        token = tokens[place]
        if token.depth < depth:
            break
        if token.depth == depth:
            cases += token.key == "CASE"
            if cases:
                cases -= token.key == "END"
            elif token.key == "BETWEEN":
                between = True
            elif token.key == "AND" and between:
                between = False
            elif token.key in ("AND", "OR"):
                parts.append((first, place - 1))
                joints.append(token.key)
                first = place + 1
            elif token.key in ENDS or _is_conflict(tokens, place):
                break
        place += 1
    if first < place:
        parts.append((first, place - 1))
    return parts, joints


def _terms(tokens: list[Token]) -> Iterator[SqlFault]:
    for place, token in enumerate(tokens[1:], 1):
        if token.word not in ("+", "-", "*") or not _is_operand(tokens[place - 1]):
            continue
        if _follows(tokens, place, (")",)):
            continue
        end = place + 1
        while end < len(tokens) and tokens[end].depth >= token.depth:
            ahead = tokens[end]
            stops = ahead.key in AFTER_TERM or ahead.key in ENDS
            if ahead.depth == token.depth and stops and end > place + 1:
                break
            end += 1
        yield SqlFault(tokens[place - 1].end, tokens[end - 1].end, "")


def _is_operand(token: Token) -> bool:
    if token.word == ")" or token.word[0].isdigit():
        return True
    return token.word[0].isalpha() and token.key not in (*ENDS, *OPENS, "SELECT", "RETURNING", "BY")


def _locks(tokens: list[Token]) -> Iterator[SqlFault]:
    for place, token in enumerate(tokens[1:], 1):
        if token.key == "SKIP" and _follows(tokens, place, ("LOCKED",)):
            yield SqlFault(tokens[place - 1].end, tokens[place + 1].end, "")


def _greatest(tokens: list[Token]) -> Iterator[SqlFault]:
    for place, token in enumerate(tokens):
        if token.key not in ("GREATEST", "LEAST") or not _follows(tokens, place, ("(",)):
            continue
        commas = [place + 1]
        end = place + 2
        while end < len(tokens) and tokens[end].depth > token.depth:
            if tokens[end].word == "," and tokens[end].depth == token.depth + 1:
                commas.append(end)
            end += 1
        for number, comma in enumerate(commas if len(commas) > 1 else ()):
            until = commas[number + 1] if number + 1 < len(commas) else end
            if number:
                yield SqlFault(tokens[comma].start, tokens[until - 1].end, "")
            else:
                yield SqlFault(tokens[comma + 1].start, tokens[until].end, "")
