"""Does a reply stand on what was shown?

Objective and pure: what a reply says that can be compared is looked for in the message, the context
and the passages that the answer cites. Whether words mean the same is not its business.
"""

from collections.abc import Collection, Iterator, Mapping, Sequence
from functools import lru_cache
from typing import Any

from worker.domain.shown import Shown
from worker.domain.validation.amounts_apart import without_apart
from worker.domain.validation.base import Draft, Validator
from worker.domain.validation.derived import underived
from worker.domain.validation.fact import Fact, Key
from worker.domain.validation.facts import facts_in, keys_of
from worker.domain.validation.language import detected
from worker.domain.validation.numbers import ambiguous
from worker.domain.validation.quotations import (
    not_quoted,
    quotations_in,
    squeezed,
    stands_in,
)
from worker.domain.validation.runs import named_otherwise

SEARCHED_CHARS = 20_000
"""Of the reply, and of the message. A longer reply cannot be told to be grounded."""
MAX_NAMED_CHARS = 60
MAX_FACTS = 3
"""Named in one finding."""


def grounded(draft: Draft, _options: Mapping[str, Any]) -> str | None:
    """Every source that the answer names was shown; amounts, dates, percentages, numbers, links and
    addresses of the reply stand in the message, the context, our instructions or a cited passage,
    compared by value in the language's notation; a quotation is verbatim."""
    if len(draft.reply) > SEARCHED_CHARS:
        return f"the reply has more than {SEARCHED_CHARS:,} characters, too many to be checked"
    cited, shown = _cited(draft.document), shown_to(draft)
    if unknown := _unknown(cited, shown):
        return f"the answer names a source that was not shown: {_named(unknown)}"
    counted, left_out = _split(shown, cited)
    missing = list(_missing(draft, counted))
    if not missing:
        return None
    named = ", ".join(f"{fact.kind} {_named(fact.said)}" for fact in missing[:MAX_FACTS])
    more = f" and {len(missing) - MAX_FACTS} more" if len(missing) > MAX_FACTS else ""
    where = (
        "stand in nothing that was shown"
        if len(missing) > 1
        else "stands in nothing that was shown"
    )
    if cited is not None and left_out and not any(True for _ in _missing(draft, shown)):
        where = f"{where.split()[0]} in a passage that the answer does not cite"
    return f"{named}{more} {where}"


def shown_to(draft: Draft) -> tuple[Shown, ...]:
    """Everything beside the message, in the pieces that an answer can name."""
    passages = {passage.id for passage in draft.context.passages}
    pieces = (
        Shown(id=piece.id, text=piece.text, passage=piece.id in passages)
        for piece in draft.context.pieces
    )
    return (*draft.knowledge, *pieces)


def _cited(document: Mapping[str, Any]) -> frozenset[str] | None:
    """The sources that an answer names; None where its schema does not ask for them."""
    sources = document.get("sources")
    if not isinstance(sources, list):
        return None
    return frozenset(_id(one) for one in sources if isinstance(one, str) and one.strip())


def _id(source: str) -> str:
    return source.strip().strip("[]").casefold()


def _unknown(cited: frozenset[str] | None, shown: Sequence[Shown]) -> str | None:
    known = {name.casefold() for one in shown for name in (one.id, one.page)}
    return min((one for one in cited or () if one not in known), default=None)


def _split(shown: Sequence[Shown], cited: frozenset[str] | None) -> tuple[list[Shown], list[Shown]]:
    """What counts, and the passages that do not because the answer cites others."""
    if cited is None:
        return list(shown), []
    counts = [
        not one.passage or one.id.casefold() in cited or one.page.casefold() in cited
        for one in shown
    ]
    pairs = list(zip(shown, counts, strict=True))
    return [one for one, does in pairs if does], [one for one, does in pairs if not does]


def _missing(draft: Draft, shown: Sequence[Shown]) -> Iterator[Fact]:
    """Facts and quotations of the reply that stand nowhere."""
    notation = _notation(draft)
    said_of = facts_in(draft.reply, notation)
    if any(fact.asked for fact in said_of):
        known = [keys_of(draft.message.text[:SEARCHED_CHARS]), *_known(draft, shown)]
        missing = _absent(said_of, known)
        if missing:
            texts = [draft.message.text[:SEARCHED_CHARS], draft.instructions]
            texts += [one.text for one in shown]
            reply = named_otherwise(without_apart(draft.reply, known), missing, texts)
            if reply != draft.reply:
                missing = _absent(facts_in(reply, notation), known)
        yield from missing
    quoted = list(quotations_in(draft.reply))
    if quoted:
        searched = [squeezed(draft.message.text[:SEARCHED_CHARS]), *_texts(draft, shown)]
        for parts in quoted:
            if not any(stands_in(parts, text) for text in searched):
                yield not_quoted(parts)


def _absent(said_of: Sequence[Fact], known: Sequence[Collection[Key]]) -> list[Fact]:
    """Facts of a reply that no source has and that follow from none that it has."""
    missing = [
        fact
        for fact in said_of
        if fact.asked and not any(key in keys for key in fact.asked for keys in known)
    ]
    absent = {id(fact) for fact in missing}
    return underived(missing, [fact for fact in said_of if id(fact) not in absent], known)


def _notation(draft: Draft) -> str | None:
    """The language whose notation the reply's numbers are in, where that makes a difference."""
    if not ambiguous(draft.reply):
        return None
    return (draft.message.language or "")[:2].lower() or detected(draft.reply)


def _known(draft: Draft, shown: Sequence[Shown]) -> Iterator[frozenset[Key]]:
    yield _page_keys(draft.instructions, None)
    for one in shown:
        yield (_page_keys if one.passage else keys_of)(one.text, one.language)


def _texts(draft: Draft, shown: Sequence[Shown]) -> Iterator[str]:
    yield _page_words(draft.instructions)
    for one in shown:
        yield (_page_words if one.passage else squeezed)(one.text)


@lru_cache(maxsize=4_096)
def _page_keys(text: str, language: str | None) -> frozenset[Key]:
    """Of what is shown to many: read once. Nothing of a customer's is kept here."""
    if language is None and ambiguous(text):
        language = detected(text)
    return keys_of(text, language)


@lru_cache(maxsize=4_096)
def _page_words(text: str) -> str:
    return squeezed(text)


def _named(said: str) -> str:
    shortened = " ".join(said.split())
    return repr(
        shortened if len(shortened) <= MAX_NAMED_CHARS else shortened[:MAX_NAMED_CHARS] + "…"
    )


GROUNDED: dict[str, Validator] = {"grounded": grounded}
