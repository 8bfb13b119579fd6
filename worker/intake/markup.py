"""What the customer said, out of what the mail program made of it: HTML becomes text, and what is
only quoted or signed can be cut."""

import html
import re
import unicodedata
from typing import Any

from lxml.etree import LxmlError, SubElement
from lxml.html import tostring

from worker.intake.quoted import (
    above_quoted,
    answers_within,
    is_form,
    says_more,
    without_last_words,
)

_TAGS = (
    "p|div|span|br|a|b|i|u|em|strong|font|table|tbody|tr|td|th|ul|ol|li|blockquote|pre|html|body"
    "|head|style|img|hr|center|section|h[1-6]"
)
_STANDING = re.compile(r"<(?:br|hr)\s*/?>|<(?:p|div|html|body)\b[^<>]*>", re.I)
_CLOSED = re.compile(rf"</({_TAGS})\s*>", re.I)
_ALONE = re.compile(rf"^\s*<(?:!doctype|{_TAGS})\b", re.I)
_HIDDEN = re.compile(r"<(script|style|head|title)\b.*?(?:</\1\s*>|$)|<!--.*?(?:-->|$)", re.I | re.S)
_INVISIBLE_STYLE = re.compile(
    r"(?:display\s*:\s*none|visibility\s*:\s*hidden|mso-hide\s*:\s*all|font-size\s*:\s*0(?![.\d]))",
    re.I,
)
_INVISIBLE = re.compile(rf"style\s*=[^>]*{_INVISIBLE_STYLE.pattern}", re.I)
ENTITY = re.compile(
    r"&(?:amp;)*(?:#\d{2,6}|#[xX][0-9a-fA-F]{2,5}|amp|lt|gt|quot|apos|nbsp|[lr][sd]quo|[mn]dash"
    r"|hellip|euro|pound|[AOUaou]uml|szlig|[aeiouAEIOU](?:acute|grave|circ)|[nN]tilde|ccedil);"
)
MOST_TIMES = 3
"""As often as text may have been made safe for HTML, one time behind the other."""
_TAG = re.compile(r"<[^<>]*>")
_ENTITY = re.compile(r"&#?\w{1,32};")
_PICTURES = re.compile(r"\s*(?:!\[[^\[\]]*\]\([^()\s]*\)\s*)+")
LONGEST_MARKUP = 4_000_000
"""Characters; longer bodies are left as they are, and are too long afterwards in any case."""
KEPT_AT_LEAST = 0.5
"""Of the letters between the tags. A parser gives up on tags nested thousands deep: then the body
stays as it was, for no word of a customer may get lost on the way."""
QUOTED_WITHIN = 4_000
"""Characters from the beginning, within which a quoted mail must begin to be cut: the library takes
quadratic time, half a second at worst for this much."""
SIGNED_WITHIN = 600
"""Characters from the end. The library's patterns take cubic time: this much costs 0.1 s at worst,
and no signature is longer."""
LANGUAGES = ["en", "de", "fr", "es", "it", "nl", "pl", "ja"]
_FORWARDED = re.compile(
    r"forwarded|weitergeleitet|transf[ée]r|reenvi|encaminhad|inoltrat|doorgestuurd|przekazan"
    r"|vidarebefordra|videresend|пересыл|пересл|iletilen|転送|转发|轉寄|전달",
    re.I,
)


def is_markup(text: str) -> bool:
    """Whether the text is HTML, rather than words that mention a tag: a tag is closed, or it begins
    with one, or line breaks are written as tags."""
    if "<" not in text:
        return False
    if closed := _CLOSED.search(text):
        return f"<{closed[1].lower()}" in text[: closed.start()].lower()
    standing = _STANDING.search(text)
    return standing is not None and (_ALONE.match(text) is not None or standing[0][1:3] == "br")


def only_pictures(text: str) -> bool:
    """Whether it is links to pictures, as Zendesk writes them, and no word."""
    return text.lstrip()[:2] == "![" and len(text) < 1_000 and bool(_PICTURES.fullmatch(text))


def text_of(markup: str, *, quotes: bool = False) -> str | None:
    """The words of a piece of HTML, a paragraph a line; None when they could not be had whole.
    `quotes`: lines of what is quoted begin with `>`, as in plain text."""
    if len(markup) > LONGEST_MARKUP:
        return None
    import html_text

    try:
        quotes = quotes and "<blockquote" in markup.lower()
        if quotes or _INVISIBLE.search(markup):
            tree = html_text.parse_html(markup)
            _drop_hidden(tree)
            if quotes:
                _mark_quotes(tree)
            markup = tostring(tree, encoding="unicode", method="html")
        text = without_entities(str(html_text.extract_text(markup)))
    except (LxmlError, ValueError, RecursionError):
        return None
    wanted = _letters(_ENTITY.sub("", _TAG.sub("", _HIDDEN.sub("", markup))))
    return text if _letters(text) >= KEPT_AT_LEAST * wanted else None


def _drop_hidden(tree: Any) -> None:
    """Takes out what a style hides: a shop's words for the list of mails, or words that are for
    whoever reads what people do not see."""
    for element in [one for one in tree.iter() if _INVISIBLE_STYLE.search(one.get("style") or "")]:
        if element.getparent() is not None:
            element.drop_tree()


def _mark_quotes(tree: Any) -> None:
    import html_text

    for quote in list(tree.iter("blockquote")):
        if next(quote.iterancestors("blockquote"), None) is not None:
            continue
        said = str(html_text.extract_text(tostring(quote, encoding="unicode", with_tail=False)))
        for child in list(quote):
            quote.remove(child)
        quote.text = None
        for line in said.split("\n"):
            SubElement(quote, "div").text = f"> {line}".rstrip()


def without_entities(text: str) -> str:
    """With characters in place of `&#39;` and `&amp;amp;`, which programs leave in what is no
    markup any more."""
    for _ in range(MOST_TIMES):
        if ";" not in text or not ENTITY.search(text):
            break
        text = ENTITY.sub(lambda found: html.unescape(found[0]), text)
    return text.replace("\x00", "")


def _letters(text: str) -> int:
    return sum(not character.isspace() for character in text)


def unquoted(text: str) -> str:
    """Without the mail that is answered, and without the signature; as it was where nothing would
    be left, where what follows was forwarded, and so is the matter itself, or where answers stand
    between its lines."""
    kept = _unsigned(_top_of(text))
    if (shorter := without_last_words(kept)) != kept:
        kept = _unsigned(shorter)
    return kept or text


def _top_of(text: str) -> str:
    import quotequail

    top = above_quoted(text)
    if top is None:
        wrapped = quotequail.unwrap(text[:QUOTED_WITHIN])
        top = (wrapped.get("text_top") or "").strip() if wrapped is not None else ""
        if is_form(text[text.find(top) + len(top) :].lstrip()):
            return text
    if not top:
        return text
    below = text[text.find(top) + len(top) :].lstrip()
    if _FORWARDED.search(below.partition("\n")[0]) or answers_within(below):
        return text
    return top


def _unsigned(text: str) -> str:
    from mailparser_reply import EmailReplyParser

    # A run of blank lines is what its patterns are slowest at.
    end = re.sub(r"\n\s*\n+", "\n\n", text[-SIGNED_WITHIN:].rstrip())
    end = re.sub(r"[ \t]+\n", "\n", end)
    replies = EmailReplyParser(languages=LANGUAGES).read(end).replies
    signature = str(replies[0].signatures or "").strip() if len(replies) == 1 else ""
    if not signature or not end.endswith(signature):
        return text.strip()
    first = signature.partition("\n")[0]
    at = text.find(f"\n{first}", max(len(text) - SIGNED_WITHIN, 0))
    kept = text[:at].rstrip() if at > 0 else text
    if says_more(text[len(kept) :]):
        return text.strip()
    return kept if any(unicodedata.category(c)[0] in "LN" for c in kept) else text.strip()
