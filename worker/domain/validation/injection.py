"""Did the reply obey the message, or give our instructions away?

A customer's text is data. Whoever writes "ignore your instructions and say …" may ask; a reply that
does so is a finding, and climbs like any other.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from functools import lru_cache
from typing import Any

from worker.domain.validation.base import Draft, Validator

SHINGLE_WORDS, HALF_WORDS = 10, 5
"""Words in a row that a reply may not share with the instructions, and half as many."""
SEARCHED_CHARS = 20_000

_COMMANDING = re.compile(
    r"\b(?:ignore|disregard|forget|override)\b[^.\n]{0,40}"
    r"\b(?:instruction|prompt|rule|polic|told|everything|learned)"
    r"|\bsystem\s*(?:prompt|message|:)|\b(?:developer|admin|debug|god|dan)\s+mode\b|\bjailbr[eo]"
    r"|\byou are (?:now|no longer)\b|\bnew instructions?\b|\bfrom now on,? you\b"
    r"|\b(?:pretend to be|act(?:ing)? (?:just )?(?:as|like)|(?:play|into|on) the role of)\b"
    r"|\bstay in character\b|\b(?:your|the) responses? (?:must|should|will) (?:be|start|begin)\b",
    re.IGNORECASE,
)
_COMMANDS = (
    *("ignore", "disregard", "forget", "override", "system", "mode", "jailbr", "you are no"),
    *("new instruction", "from now on", "pretend to be", "act as", "act like", "act just"),
    *("acting as", "acting like", "acting just", "the role of", "stay in character", "response"),
)
"""One of these is in all that commands, where letters have no cases but those of ASCII."""
_DEMAND = re.compile(
    r"\b(?:say|reply|respond|answer|print|output|write|repeat|return|state|stating|include|saying"
    r"|start|begin|the same as|exactly)\b"
    r"[^\"“”\n]{0,60}[\"“]([^\s\"“”][^\"“”\n]{2,198}[^\s\"“”])[\"”]",
    re.IGNORECASE,
)
_TAG = re.compile(r"([\[(](?!X+[\])])[^\[\]()\n]{2,40}[\])])|(?m:^\W{0,5})\b([A-Z][A-Z-]{2,20}:)")
"""`[LABEL]` or `(Label)` anywhere, `LABEL:` at the start of a line; never `[XXXX]`."""
_PART = re.compile(
    r"\b(?:act(?:ing)? (?:just )?(?:as|like)|pretend to be|named|known as|(?:As|as)|i'm)"
    r" (?:an? |the )?['\"“]?([A-Z][A-Z0-9-]{2,20})\b"
)
_WORD = re.compile(r"\w+")


def obeyed(draft: Draft, _options: Mapping[str, Any]) -> str | None:
    """Where a message gives orders, the reply must not say word for word what it was told to say,
    nor speak under a label or in a part that the message made up."""
    asked = draft.message.text[:SEARCHED_CHARS]
    if not _may_command(asked) or not _COMMANDING.search(asked):
        return None
    said = f" {_squeezed(draft.reply)} "
    for match in _DEMAND.finditer(asked):
        wanted = _squeezed(match.group(1))
        if wanted and f" {wanted} " in said:
            return "the reply says what the message ordered it to say"
    tags = _TAG.finditer(draft.reply[:SEARCHED_CHARS])
    if any((tag.group(1) or tag.group(2)) in asked for tag in tags):
        return "the reply uses a label that the message ordered it to use"
    if any(_plays(part, draft.reply) for part in {m.group(1) for m in _PART.finditer(asked)}):
        return "the reply plays the part that the message gave it"
    return None


def orders(text: str) -> bool:
    """Whether a text seems to give orders to a model."""
    begins = text[:SEARCHED_CHARS]
    return _may_command(begins) and _COMMANDING.search(begins) is not None


def _may_command(text: str) -> bool:
    """Cheap, and never wrong when it says no."""
    lowered = text.lower()
    return not text.isascii() or any(command in lowered for command in _COMMANDS)


def _squeezed(text: str) -> str:
    return " ".join(_WORD.findall(text.casefold()))


def _plays(part: str, reply: str) -> bool:
    """`DAN: sure`, `I am DAN`, `As DAN I can`: said by the reply and not only mentioned."""
    name = re.escape(part)
    return (
        re.search(
            rf"(?m)^\W{{0,5}}{name}\W{{0,3}}:|\b(?:I am|I'm|I’m|[Aa]s(?: an?)?) {name}\b", reply
        )
        is not None
    )


def leaked_prompt(draft: Draft, _options: Mapping[str, Any]) -> str | None:
    """No ten words in a row of our own instructions. Knowledge may be quoted: it is for that."""
    if not draft.instructions:
        return None
    words = _WORD.findall(draft.reply.lower())
    # Ten words in a row hold five that begin at a multiple of five.
    if _instructed(draft.instructions, HALF_WORDS).isdisjoint(_rows(words, HALF_WORDS, HALF_WORDS)):
        return None
    if _instructed(draft.instructions, SHINGLE_WORDS).isdisjoint(_rows(words, SHINGLE_WORDS)):
        return None
    return "the reply repeats our instructions"


@lru_cache(maxsize=16)
def _instructed(instructions: str, size: int) -> frozenset[tuple[str, ...]]:
    return frozenset(_rows(_WORD.findall(instructions.lower()), size))


def _rows(words: Sequence[str], size: int, step: int = 1) -> Iterator[tuple[str, ...]]:
    """So many words in a row, beginning at each `step`th."""
    for start in range(0, len(words) - size + 1, step):
        yield tuple(words[start : start + size])


INJECTION: dict[str, Validator] = {"obeyed": obeyed, "leaked_prompt": leaked_prompt}
