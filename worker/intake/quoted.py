"""Where in a mail that which it answers begins, and where its last words do, by their shape.

The libraries know the phrases of some languages. Mail programs of all languages write the same
things: a line with a time that ends with a colon, above lines that begin with `>`; or a block of
lines that names sender, time and receiver. All of it takes time in proportion to the text.
"""

import re
from itertools import takewhile

_FROM = (
    "from|von|de|da|van|od|från|fra|lähettäjä|от|від|kimden|gönderen|差出人|发件人|寄件者|寄件人"
    "|보낸 사람|보낸사람|feladó|από|de la|מאת|من"
)
_SENT = (
    "sent|date|gesendet|datum|envoyé(?: le)?|enviado(?: el| em)?|fecha|data|inviato|verzonden"
    "|wysłano|skickat|sendt|dato|lähetetty|päivämäärä|отправлено|дата|надіслано"
    "|gönderil(?:me|di)(?: tarihi)?|tarih|送信日時|日時|发送时间|發送時間"
    "|寄件日期|傳送時間|日期|보낸 날짜|보낸날짜|날짜|odesláno"
    "|elküldve|dátum|trimis|στάλθηκε|ημερομηνία|נשלח|التاريخ"
)
_OTHERS = (
    "to|an|à|para|a|aan|do|komu|till|til|vastaanottaja|кому|kime|alıcı|宛先|收件人|收件者|받는 사람"
    "|받는사람|címzett|προς|către|אל|إلى"
    "|subject|betreff|objet|asunto|oggetto|onderwerp|assunto|temat|ämne|emne|aihe|тема|konu|件名"
    "|主题|主旨|제목|předmět|tárgy|θέμα|subiect|נושא|الموضوع"
)
_LABEL = re.compile(
    rf"[>\s*_|]*(?:(?P<by>{_FROM})|(?P<at>{_SENT})|(?P<more>{_OTHERS})|cc|kopie|copie|副本)"
    r"[*_\s]*[:：]",
    re.I,
)
LONGEST = 500
"""Characters of a line that are looked at."""
MOST_BLOCK, MOST_FOLDED = 9, 2
"""Lines of such a block, and how many of them go on with the one above."""
_RULE = re.compile(r"[>\s]*(?:[-_=*—─]{3,}[^\n]{0,80}|[^\n]{0,80}[-_=*—─]{5,}\s*)")
_TITLED = re.compile(r"[>\s]*-{3,}[^\n-]{3,60}-{3,}\s*")
_DATED = re.compile(r"(?:19|20)\d\d|\d{1,2}[./-]\d{1,2}[./-]\d\d")
_TIMED = re.compile(r"\d{1,2}[:h時시]\s?\d\d|(?<![\d.])\d{1,2}\.\d\d(?![.\d])")
_ADDRESS = re.compile(r"[\w.+-]@[\w-]")
_ABOVE = re.compile(
    r"[>\s]*(?:##-.{1,200}-##|\W{0,20}(?:please )?(?:type your )?reply above this line\b.{0,80}"
    r"|\W{0,20}(?:bitte )?antworte?n? sie (?:oberhalb|über) dieser linie.{0,80})\s*",
    re.I,
)
MOST_LINES = 4
"""Of what says who wrote what is quoted below it."""
_DEVICE = (
    r"(?:iphone|ipad|android|samsung|galaxy|huawei|xiaomi|outlook|yahoo|gmail|windows|blackberry"
    r"|smartphone|handy|mobil\w*|proton\w*|gmx|web\.de|手机|手機|携帯)"
)
_LAST_WORDS = re.compile(
    rf"(?:(?:sent (?:from|via|with)|get {_DEVICE}|von mein\w+|gesendet (?:von|mit|über)"
    r"|diese nachricht wurde von|envoyé (?:de|depuis|à partir)|enviad[oa] (?:desde|do|de|a partir)"
    r"|inviato (?:da|dal)|verstuurd vanaf|verzonden (?:vanaf|met|via)|wysłan[eo] (?:z|przez)"
    r"|skickat från|sendt fra|lähetetty|odesláno z|отправлено (?:с|из)|надіслано|发自|發自|傳自"
    rf"|나의)\b.{{0,60}}{_DEVICE}.{{0,30}}|get {_DEVICE}.{{0,30}}"
    rf"|发自我的.{{0,30}}"
    rf"|.{{0,20}}{_DEVICE}.{{0,20}}(?:gönderildi|から送信|에서 보냄|发送|lähetetty))",
    re.I,
)
_LINK = re.compile(r"\s?[<(\[]https?://[^\s<>]{1,500}[>)\]]")
_AFTER_ALL = re.compile(r"[?？]|^\s*(?:p\.?\s?s\.?|n\.?b\.?)\b", re.I | re.M)
_ADDRESS_OF_PAGE = re.compile(r"https?://\S+")


def above_quoted(text: str) -> str | None:
    """What stands above the mail that is answered; empty where nothing does, None where no mail is
    found, or the writer's own words stand below it or between its lines."""
    lines = text.split("\n")
    at = _marker(lines)
    at = at if at is not None else _block(lines)
    at = at if at is not None else _marked(lines)
    return None if at is None else "\n".join(lines[:at]).strip()


def is_form(below: str) -> bool:
    """Whether it begins with a word for a sender or a receiver, and yet is no header of a mail:
    above, one would have been found."""
    return _LABEL.match(below, 0, LONGEST) is not None


def answers_within(below: str) -> bool:
    """Whether somebody wrote between or below the lines of a mail that are quoted with `>`."""
    lines = below.split("\n")
    first = next((at for at, line in enumerate(lines) if line.startswith(">")), MOST_LINES * 2)
    return first < MOST_LINES * 2 and not _all_quoted(lines[first:])


def without_last_words(text: str) -> str:
    """Without the line in which a telephone or a mail program names itself."""
    kept, _, last = text.rstrip().rpartition("\n")
    bare = _LINK.sub("", last.strip())
    return kept.rstrip() if kept.strip() and _LAST_WORDS.fullmatch(bare) else text


def says_more(cut: str) -> bool:
    """Whether a question or an afterthought stands in what seems to be a signature, or several
    lines of it are what one begins with."""
    if [line.strip() for line in cut.split("\n")].count("--") > 1:
        return True
    return _AFTER_ALL.search(_ADDRESS_OF_PAGE.sub("", cut)) is not None


def _marker(lines: list[str]) -> int | None:
    return next(
        (at for at, line in enumerate(lines) if len(line) < LONGEST and _ABOVE.fullmatch(line)),
        None,
    )


def _block(lines: list[str]) -> int | None:
    for at, line in enumerate(lines):
        found = _LABEL.match(line, 0, LONGEST)
        if found is not None and (found["by"] or found["at"]) and _is_block(lines, at):
            return _with_rule(lines, at)
    return None


def _is_block(lines: list[str], at: int) -> bool:
    if at > 0 and _TITLED.fullmatch(lines[at - 1]):
        return True
    named, folded = set[str | None](), 0
    for line in lines[at : at + MOST_BLOCK]:
        if found := _LABEL.match(line, 0, LONGEST):
            if found["at"] and not _TIMED.search(line):
                return False
            named.add(found.lastgroup)
        elif folded == MOST_FOLDED or not line.strip(" \t>*"):
            break
        else:
            folded += 1
    return named >= {"by", "at", "more"}


def _with_rule(lines: list[str], at: int) -> int:
    """The line of a rule above, where there is one."""
    above = at - 1
    while above >= 0 and not lines[above].strip():
        above -= 1
    return above if above >= 0 and _RULE.fullmatch(lines[above]) else at


def _marked(lines: list[str]) -> int | None:
    """Where lines that begin with `>` and those who announce them begin, if they end the mail."""
    for at, line in enumerate(lines):
        if not line.startswith(">"):
            continue
        if not _all_quoted(lines[at:]):
            return None
        if _announces(line.lstrip("> ")):
            return at
        return _announced(lines, at)
    return None


def _all_quoted(lines: list[str]) -> bool:
    own = takewhile(lambda line: line.strip() not in ("--", "—"), lines)
    rest = [line for line in own if line.strip() and not line.startswith(">")]
    return not rest or (len(rest) == 1 and _LAST_WORDS.fullmatch(rest[0].strip()) is not None)


def _announced(lines: list[str], at: int) -> int | None:
    end = at
    while end > 0 and not lines[end - 1].strip():
        end -= 1
    by_address = None
    for start in range(end - 1, max(end - 1 - MOST_LINES, -1), -1):
        said = " ".join(lines[start:end])
        if not lines[start].strip():
            break
        if not _announces(said):
            continue
        if _TIMED.search(said):
            return _with_rule(lines, start)
        by_address = start if by_address is None else by_address
    return by_address


def _announces(said: str) -> bool:
    said = said.strip(" \t\u00a0*")
    if not said.endswith((":", "：")) or len(said) > LONGEST:
        return False
    timed = _TIMED.search(said) is not None and _DATED.search(said) is not None
    return timed or _ADDRESS.search(said) is not None
