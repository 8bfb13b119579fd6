"""Numbers that the same digits write with other gaps: `12-345` for 12345, `20-00-00` for 200000,
`de89 3704 …`; and those of which the last digits are named (`ending in 345`).

Looked for only where something of a reply was not found, for it takes a second reading of all
sources.
"""

import re
from collections.abc import Collection, Iterable

from worker.domain.validation.fact import Fact

_RUN = re.compile(
    r"(?<![\w.,])(?:[A-Z]{1,4}[ -]?|[^\W\d_]{1,4}-?)?\d[^\W_]{0,30}"
    r"(?:[ \u00a0./-][^\W_]{0,4}\d[^\W_]{0,30}){0,8}(?!\w)"
)
_PART = re.compile(r"[^\W_]+")
_LAST = re.compile(
    r"(?:(?:ending|ends|last \w{1,6}(?: digits)?(?: are)?|endet|endend|enden|finissant"
    r"|termin\w{2,5}|finit|acabad[oa]|finisce|che termina)"
    r"(?: with| in| auf| mit| par| en| con| per| by)?:? "
    r"|…|\.{3}|\*{2,}[ -]?|•{2,} ?|x{2,}[ -]?)(?P<tail>\d{3,6})(?!\w)",
    re.IGNORECASE,
)
_KINDS = ("the number", "the telephone number")
_LEAST_DIALLED = 8
_LEAST = 5
"""Letters and digits of a number that is told by them alone."""


def named_otherwise(reply: str, missing: Iterable[Fact], sources: Iterable[str]) -> str:
    """The reply without those of its missing numbers that a source writes with other gaps."""
    wanted = {_squeezed(fact.said) for fact in missing if fact.kind in _KINDS}
    if not any(character.isdigit() for said in wanted for character in said):
        return reply
    known = {run for source in sources for run in _runs(source)}
    reply = _LAST.sub(
        lambda match: _blank(match) if _ends(match["tail"], known) else match.group(), reply
    )
    return _RUN.sub(lambda match: _without(match, wanted, known), reply)


def _squeezed(said: str) -> str:
    return "".join(_PART.findall(said)).casefold()


def _runs(text: str) -> Iterable[str]:
    """Each number with all that is written with it, and each of its stretches without blanks."""
    for match in _RUN.finditer(text):
        run = match.group()
        yield _squeezed(run)
        yield from (_squeezed(part) for part in re.split(r"[ \u00a0]", run))


def _is_number(squeezed: str) -> bool:
    return len(squeezed) >= _LEAST and sum(character.isdigit() for character in squeezed) >= 4


def _blank(match: re.Match[str]) -> str:
    return " " * len(match.group())


def _ends(tail: str, known: Collection[str]) -> bool:
    return any(len(one) > len(tail) and one.endswith(tail) for one in known)


def _without(match: re.Match[str], wanted: Collection[str], known: Collection[str]) -> str:
    """Blank where it is known; without the word before it, where that is none of it."""
    run = match.group()
    if not any(said in _squeezed(run) for said in wanted):
        return run
    if _is_number(whole := _squeezed(run)) and whole in known:
        return " " * len(run)
    if match.string[: match.start()].endswith("+") and _has_country(whole, known):
        return " " * len(run)
    first = re.search(r"\d", run)
    begin = first.start() if first else 0
    if (
        begin
        and run[begin - 1] == " "
        and _is_number(rest := _squeezed(run[begin:]))
        and rest in known
    ):
        return run[:begin] + " " * (len(run) - begin)
    return run


def _has_country(dialled: str, known: Collection[str]) -> bool:
    """A telephone number with its country before it, of one that a source has without."""
    countries = range(1, 4)
    return any(dialled[at:] in known for at in countries if len(dialled) - at >= _LEAST_DIALLED)
