"""Which encoding a file is in, when it is not UTF-8: found out by charset-normalizer, and said.

A file is damaged UTF-8, and its broken rows are rejects, when most of its other characters are
sound UTF-8, or when what is not reads as no word in any encoding.
"""

import codecs
import re
from collections.abc import Iterator
from shlex import quote

from worker.domain.backlog import BacklogError

SAMPLE = 200_000
"""Bytes from the first one that is not ASCII."""
CONTEXT = 2_000
"""ASCII bytes before it that are looked at as well."""
CANDIDATES = (
    *("cp1252", "cp932", "gb18030", "cp1251", "cp1250", "euc_kr", "big5", "euc_jp", "cp1254"),
    *("cp1253", "cp1255", "cp1256", "koi8_r", "mac_roman", "iso8859_15", "latin_1"),
    *("cp850", "cp874"),
)
"""In the order in which they are believed when the text does not tell: Excel's Western one first.
"""
SINGLE = frozenset(CANDIDATES) - {"cp932", "gb18030", "euc_kr", "big5", "euc_jp"}
"""A byte, a character: a line in them that is sound UTF-8 all the same was written as UTF-8."""
LONGEST_LINE = 1_000_000
NEAR = 0.03
"""Two guesses whose mess differs by less are told apart by their letters."""
UNSTEADY = frozenset({"punycode", "idna", "unicode-escape", "raw-unicode-escape"})
"""Python's encodings of names and of programs: nobody saves files in them, and the first two take
quadratic time."""
_SEQUENCE = re.compile(
    rb"[\xc2-\xdf][\x80-\xbf]|[\xe0-\xef][\x80-\xbf]{2}|[\xf0-\xf4][\x80-\xbf]{3}"
)
_OTHER = re.compile(rb"[\x80-\xff]")
_ODD = re.compile(
    r"[^\W\d_](?:(?![\x00-\x7f’‘´])[^\w\s]|[þðÞÐ¹²³ªº])[^\W\d_]|[\x80-\x9f]|[a-z][À-ÖØ-Þ][a-z]"
)
_FOREIGN_RUN = re.compile(r"[^\x00-\x7f]+")
_SIGNS = re.compile(r"[£€§°®™©½¼¾–—…•“”‘’«»¿¡·\xa0]+")
"""What stands beside words, and in English often alone: a pound, a dash, quotes."""
_TORN = re.compile(r"€[™œ“”˜¦¢]")
"""What is left of quotes in UTF-8 whose first byte was lost."""
_ACCENTED = re.compile(
    rb"[\x8a\x8c-\x8f\x9a\x9c-\x9f\xa3\xa5\xaa\xaf\xb3\xb9\xba\xbc-\xbf\xc0-\xff]"
)
_TURKISH = frozenset("çöüâîûÇÖÜÂÎÛğışĞİŞ".encode("cp1254"))
_TURKEYS_OWN = frozenset("ğışĞİŞ".encode("cp1254"))
_HEBREW = re.compile(rb"[\xe0-\xfa]{2,}")
_NEVER_WITHIN = re.compile(rb"[\xea\xed\xef\xf3\xf5][\xe0-\xfa]")
"""Hebrew's letters for the ends of words."""
_ENOUGH = 8
JAPANESE_MAIL = b"\x1b$B"
"""What stands before Japanese in ISO-2022-JP, all of which is ASCII."""


def known_encoding(name: str) -> str:
    """Python's name of an encoding that a person named. Raises BacklogError."""
    try:
        found = codecs.lookup(name).name
        "".encode(found)
        if found in UNSTEADY:
            raise LookupError(found)
    except (LookupError, TypeError, ValueError, UnicodeError):
        raise BacklogError(
            f"There is no encoding {name!r}.", mend="--encoding cp1252, shift_jis, gb18030, utf-16"
        ) from None
    return found


def encoding_of(chunk: bytes) -> str | None:
    """The encoding in which a chunk that holds other than ASCII (or Japanese as mails have it) is
    written; None for UTF-8, sound or damaged."""
    first = _OTHER.search(chunk)
    if first is None:
        return "iso2022_jp" if JAPANESE_MAIL in chunk else None
    sample = chunk[max(first.start() - CONTEXT, 0) : first.start() + SAMPLE]
    sound = _SEQUENCE.findall(sample)
    unsound = len(_OTHER.findall(_SEQUENCE.sub(b"", sample)))
    # A sample may end in the middle of a character.
    if unsound <= 3 and sound and not _OTHER.search(_SEQUENCE.sub(b"", sample[:-4])):
        return None
    if unsound == 0 or len(sound) > unsound:
        return None
    return _guessed(b"\n".join(line for line in sample.split(b"\n") if not _is_sound(line)))


def _guessed(sample: bytes) -> str | None:
    from charset_normalizer import from_bytes

    if (known := _by_its_letters(sample)) is not None:
        return known
    matches = from_bytes(sample, cp_isolation=list(CANDIDATES))
    if not matches:
        return None
    best = min(match.chaos for match in matches)
    ranked = []
    for match in matches:
        if match.chaos > best + NEAR:
            continue
        for name in match.could_be_from_charset:
            if name in CANDIDATES:
                text = str(match)
                ranked.append((len(_ODD.findall(text)), CANDIDATES.index(name), name, text))
    if not ranked:
        return None
    _, _, name, text = min(ranked)
    if not _reads_as_words(text):
        name, text = CANDIDATES[0], sample.decode(CANDIDATES[0], "replace")
    return name if _reads_as_words(text) else None


def _by_its_letters(sample: bytes) -> str | None:
    """The encoding of two scripts that read as words in others too: Turkish, whose letters stand
    where Icelandic's and Czech's do, and Hebrew, where small Cyrillic letters do."""
    letters = _ACCENTED.findall(sample)
    kinds = {letter[0] for letter in letters}
    if len(kinds) > 1 and kinds <= _TURKISH and kinds & _TURKEYS_OWN:
        return "cp1254"
    words = sum(map(len, _HEBREW.findall(sample)))
    if words >= max(_ENOUGH, 0.8 * len(letters)) and not _NEVER_WITHIN.search(sample):
        return "cp1255" if kinds <= set(range(0xE0, 0xFB)) else None
    return None


def _reads_as_words(text: str) -> bool:
    """Whether most of what is not ASCII belongs to words: it touches letters, or is a word of
    another script."""
    runs = list(_FOREIGN_RUN.finditer(text))
    return sum(_in_a_word(text, run) for run in runs) * 2 > len(runs)


def _in_a_word(text: str, run: re.Match[str]) -> bool:
    before, after = text[run.start() - 1 : run.start()], text[run.end() : run.end() + 1]
    if any(ord(character) > 0x24F and character.isalpha() for character in run[0]):
        return True
    if before.islower() and run[0][0].isupper():
        return False
    if _SIGNS.fullmatch(run[0]) and not _TORN.search(run[0]):
        return not (before.isalpha() and after.isalpha()) or run[0] in ("’", "\xa0")
    return before.isalpha() or after.isalpha() or run[0] in ("à", "é", "á", "ó", "À", "É", "ü", "ö")


def _is_sound(line: bytes) -> bool:
    """Whether a line is UTF-8, and could not be ASCII."""
    try:
        line.decode()
    except UnicodeDecodeError:
        return False
    return not line.isascii()


def recoded(path: str, encoding: str, chunks: Iterator[bytes]) -> Iterator[bytes]:
    """The same text in UTF-8, of an encoding that was found out: lines that are UTF-8 already, as
    in files that were put together, stay as they are. Raises BacklogError."""
    return (
        transcoded(path, encoding, chunks)
        if encoding not in SINGLE
        else (
            b"".join(_as_utf8(path, encoding, line) for line in lines.splitlines(keepends=True))
            for lines in _whole_lines(chunks)
        )
    )


def _whole_lines(chunks: Iterator[bytes]) -> Iterator[bytes]:
    held = b""
    for chunk in chunks:
        data = held + chunk
        end = data.rfind(b"\n") + 1 if len(data) < 2 * LONGEST_LINE else len(data)
        yield data[:end]
        held = data[end:]
    yield held


def _as_utf8(path: str, encoding: str, line: bytes) -> bytes:
    if line.isascii() or _is_sound(line):
        return line
    return b"".join(transcoded(path, encoding, iter((line,))))


def transcoded(path: str, encoding: str, chunks: Iterator[bytes]) -> Iterator[bytes]:
    """The same text in UTF-8. Raises BacklogError where it is not of that encoding."""
    decoder = codecs.getincrementaldecoder(encoding)()
    try:
        for chunk in chunks:
            yield decoder.decode(chunk).encode()
        yield decoder.decode(b"", final=True).encode()
    except UnicodeError:
        raise BacklogError(
            f"{path} is not valid {encoding} throughout.",
            mend=f"rung enqueue --encoding NAME {quote(path)}, with the encoding that it was saved"
            " in",
        ) from None
