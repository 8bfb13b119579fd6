"""Numbers and dates as they are written elsewhere, put as the rest of the checker reads them:
Arabic marks, and Chinese, Japanese and Korean, which set no space between a number and its word."""

import re
from collections.abc import Mapping
from decimal import Decimal

from worker.domain.validation.fact_words import MONTH_NAMES, either

_ELSEWHERE = re.compile(r"[\u066b\u066c\u1100-\u11ff\u3040-\u30ff\u3400-\u9fff\uac00-\ud7af\uff05]")
_LETTER = r"[\u3040-\u30ff\u3400-\u9fff\uac00-\ud7af]"
_MARKS = str.maketrans({"\u066b": ".", "\u066c": ",", "\uff05": "%", "\uff0c": ","})
_DATE = re.compile(r"(?:(\d{4})\s?[年년]\s?)?(?<!\d)(\d{1,2})\s?[月월]\s?(\d{1,2})\s?[日号號일]")
_CLOCK = re.compile(r"(\d{1,2})\s?[時시](?![間间간])(?:\s?(\d{1,2})\s?[分분])?")
_WORDS: Mapping[str, str] = {
    "%": "パーセント 퍼센트",
    "JPY": "円 日元 엔",
    "CNY": "元 块 人民币",
    "KRW": "원",
    "minutes": "分钟 分鐘 分間 분",
    "hours": "小时 小時 時間 时间 시간",
    "days": "日間 営業日 个工作日 個工作天 工作日 天 日 영업일 일",
    "weeks": "週間 个星期 個星期 星期 周 週 주일 주",
    "months": "か月 ヶ月 カ月 ヵ月 个月 個月 개월",
    "years": "年間 年 년",
}
_UNITS = {word: unit for unit, words in _WORDS.items() for word in words.split()}
_UNIT = re.compile(rf"(?<=\d)\s?({either(_UNITS)})")
_MYRIADS = re.compile(
    r"(\d[\d,]{0,12}(?:\.\d{1,4})?)\s?[万萬만](?:\s?(\d)\s?[千천](?!\d)|(\d{1,4})(?!\d))?"
)
_GLUED = re.compile(rf"(?<=\d)(?={_LETTER})|(?<={_LETTER})(?=\d)")


def as_read_here(text: str) -> str:
    """The text with such numbers, units and dates in digits and words that are known; any other is
    left as it is."""
    if _ELSEWHERE.search(text) is None:
        return text
    text = _MYRIADS.sub(_counted, _DATE.sub(_dated, text.translate(_MARKS)))
    text = _CLOCK.sub(lambda match: f" {match[1]}:{int(match[2] or 0):02} ", text)
    text = _UNIT.sub(lambda match: f" {_UNITS[match[1]]} ", text)
    return _GLUED.sub(" ", text)


def _dated(match: re.Match[str]) -> str:
    year, month, day = match[1], int(match[2]), int(match[3])
    if not 1 <= month <= 12:
        return match.group()
    return f" {year}-{month:02}-{day:02} " if year else f" {MONTH_NAMES[month - 1]} {day} "


def _counted(match: re.Match[str]) -> str:
    """`1万2千` and `3.5万`: in ten thousands."""
    value = Decimal(match[1].replace(",", "")) * 10_000
    value += 1_000 * int(match[2] or 0) + int(match[3] or 0)
    return f"{value.normalize():f}"
