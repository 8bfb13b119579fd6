"""Words that give a number its meaning, in English, German, French, Spanish, Italian, Portuguese
and Dutch: months, currencies, spans of time, measures, and numbers that are written out."""

import re
from collections.abc import Iterable, Mapping
from decimal import Decimal

COMMA_LANGUAGES = frozenset(
    {"de", "fr", "es", "it", "pt", "nl", "pl", "sv", "da", "fi", "cs", "ro", "hu", "el", "tr", "ru"}
    | {"uk", "id", "vi"}
)
"""Where a comma stands before the fraction."""

Unit = tuple[str, Decimal]
"""What is measured, and how many of its smallest: (`hours`, 24) for a day."""

_MONTHS = """
january jan januar jänner janvier janv enero ene gennaio gen janeiro januari
february feb februar feber février fevrier févr febrero febbraio fevereiro fev februari
march mar märz maerz mär mars marzo março marco maart mrt
april apr avril avr abril abr aprile
may mai mayo maggio mag maio mei
june jun juni juin junio giugno giu junho
july jul juli juillet juil julio luglio lug julho
august aug août aout agosto ago augustus
september sep sept septembre septiembre settembre set setembro
october oct oktober okt octobre octubre ottobre ott outubro out
november nov novembre noviembre novembro
december dec dezember dez décembre decembre déc diciembre dic dicembre dezembro
"""
_ELSEWHERE = """
ianuarie stycznia ledna ocak января tammikuuta
februarie lutego února şubat февраля helmikuuta
martie marca března mart марта maaliskuuta
aprilie kwietnia dubna nisan апреля huhtikuuta
maj maja května mayıs мая toukokuuta
iunie czerwca června haziran июня kesäkuuta
iulie lipca července temmuz июля heinäkuuta
augusti sierpnia srpna ağustos августа elokuuta
septembrie września září eylül сентября syyskuuta
octombrie października října ekim октября lokakuuta
noiembrie listopada listopadu kasım ноября marraskuuta
decembrie grudnia prosince aralık декабря joulukuuta
"""
"""As dates have them in Romanian, Polish, Czech, Turkish, Russian and Finnish."""
MONTHS: Mapping[str, int] = {
    word: number
    for lines in (_MONTHS, _ELSEWHERE)
    for number, line in enumerate(lines.strip().splitlines(), start=1)
    for word in line.split()
}
MONTH_WORDS = frozenset(MONTHS)
MONTH_NAMES = [line.partition(" ")[0] for line in _MONTHS.strip().splitlines()]
"""In English, January first."""

CURRENCY_SIGNS: Mapping[str, str] = {
    "$": "$", "us$": "USD", "€": "EUR", "£": "GBP", "¥": "JPY", "₹": "INR", "₽": "RUB",
    "₺": "TRY", "zł": "PLN", "kr": "kr", "₩": "KRW", "rs.": "INR", "rs": "INR",
}  # fmt: skip
CODES = (
    *("USD", "EUR", "GBP", "CHF", "JPY", "CAD", "AUD", "INR", "SEK", "NOK", "DKK", "PLN", "CZK"),
    *("CNY", "KRW", "BRL", "MXN", "SGD", "HKD", "NZD", "ZAR", "AED", "SAR"),
)
_DOLLARS, _CROWNS = ("USD", "CAD", "AUD", "NZD", "SGD", "HKD", "MXN"), ("SEK", "NOK", "DKK")
ALSO: Mapping[str, tuple[str, ...]] = {
    **dict.fromkeys(_DOLLARS, ("$",)),
    **dict.fromkeys(_CROWNS, ("kr",)),
    "$": ("USD",),
    "kr": ("SEK",),
}
"""How a currency may be written too: `$10` for `10 AUD`."""
_SMALL_COINS = (
    "cent cents centimes centime céntimos centavos centesimi cêntimos pence penny pennies rappen"
    " öre øre ören grosz grosze groszy kuruş bani haléř haléře haléřů paise paisa kopeck kopecks"
    " kopek kopeks kopeken копеек копейки копейка agorot agora halala halalas satang fillér"
)
CENTS = "cents"
"""Of any currency: what is compared is the value alone."""
_GIGABYTES = "gb go gigabyte gigabytes gigas"


def _units() -> dict[str, Unit]:
    signs = {code.lower(): code for code in CODES} | dict(CURRENCY_SIGNS)
    table: dict[str, Unit] = {sign: (code, Decimal(1)) for sign, code in signs.items()}

    def add(what: str, factor: Decimal | int | str, words: str) -> None:
        table.update(dict.fromkeys(words.split(), (what, Decimal(factor))))

    add("$", 1, "dollar dollars dólar dólares dollari dollaro")
    add("EUR", 1, "euro euros")
    add("GBP", 1, "pound pounds pfund livres livre libras libra sterline sterlina ponden quid")
    add("CHF", 1, "franken francs franc franchi francos")
    add("INR", 1, "rupee rupees")
    add(CENTS, "0.01", _SMALL_COINS)
    add("JPY", 1, "yen")
    add("percent", 1, "% percent prozent pourcent procent")
    add("hours", Decimal(1) / 60, "minute minutes min mins minuten minuto minutos minuti minuut")
    add("hours", 1, "hour hours hr hrs h stunde stunden std heure heures hora horas ora ore uur")
    add("hours", 1, "uren")
    add("hours", Decimal(1) / 3600, "seconds second sekunden sekunde secondes seconde segundos")
    add("hours", Decimal(1) / 3600, "segundo secondi secondo seconden sec secs")
    add("hours", 24, "day days tag tage tagen tages jour jours día días dia dias giorno giorni dag")
    add("hours", 24, "dagen workday workdays werktag werktage werktagen arbeitstag arbeitstage")
    add("hours", 24, "arbeitstagen bankarbeitstage kalendertage kalendertagen werkdag werkdagen")
    add("hours", 24, "night nights nacht nächte nuit nuits noche noches notte notti")
    add("hours", 168, "week weeks wk wks woche wochen semaine semaines semana semanas settimana")
    add("hours", 168, "settimane weken")
    add("months", 1, "month months monat monate monaten monats mois mes meses mese mesi mês maand")
    add("months", 1, "maanden")
    add(
        "months", 12, "year years yr yrs jahr jahre jahren jahres an ans année années año años anno"
    )
    add("months", 12, "anni ano anos jaar jaren")
    sizes = ("kb kilobyte kilobytes", "mb mo megabyte megabytes", _GIGABYTES, "tb to terabytes")
    for power, names in enumerate(sizes):
        add("kilobytes", 1000**power, names)
    add("litres", 1, "l litre litres liter liters litro litros litri")
    add("litres", "0.01", "cl centilitres centiliter")
    add("litres", "0.001", "ml millilitre millilitres milliliter milliliters mililitros millilitri")
    add("metres", "0.01", "cm centimetre centimetres centimeter centimeters zentimeter")
    add("metres", "0.01", "centimètres centímetros centimetri")
    add("metres", "0.001", "mm millimetre millimetres millimeter millimeters millimètres")
    add("grams", 1, "g gr gram gramm grams gramme grammes gramos grammi gramas")
    add("grams", 1000, "kg kilo kilos kilogramm kilogramme kilogrammes kilogram kilograms")
    add("metres", 1, "m metre metres meter meters metros metri mètres")
    add("metres", 1000, "km kilometre kilometres kilometer kilometers kilómetros chilometri")
    for word in ["to", "go", "mo", "an", "m", "g", "l", "ora"]:
        del table[word]
    return table


UNITS = _units()
"""By what is written after a number, in lower case."""
PERCENT = re.compile(
    r"\s?(?:%|percent\b|prozent\b|per\s?cent\b|pour\s?cent\b|pourcent\b|por\s?cien(?:to)?\b"
    r"|per\s?cento\b|por\s?cento\b|procent\b)",
    re.IGNORECASE,
)
QUALIFIERS = frozenset(
    {"working", "business", "full", "whole", "calendar", "more", "further", "additional"}
    | {"consecutive", "bank", "ganze", "ganzen", "volle", "vollen", "weitere", "weiteren"}
)
_NUMBERS: Mapping[int, str] = {
    1: "one a an ein eine einem einen einer eines un une una uno um uma één een",
    2: "two zwei zweier deux dos due dois duas twee",
    3: "three drei dreier trois tres tre três drie",
    4: "four vier quatre cuatro quattro quatro",
    5: "five fünf fuenf cinq cinco cinque vijf",
    6: "six sechs seis sei zes",
    7: "seven sieben sept siete sette sete zeven",
    8: "eight acht huit ocho otto oito",
    9: "nine neun neuf nueve nove negen",
    10: "ten zehn dix diez dieci dez tien",
    11: "eleven elf onze once undici",
    12: "twelve zwölf zwoelf douze doce dodici doze twaalf",
    14: "fourteen vierzehn quatorze catorce quattordici veertien",
    15: "fifteen fünfzehn quinze quince quindici vijftien",
    18: "eighteen achtzehn dieciocho diciotto dezoito achttien",
    20: "twenty zwanzig vingt veinte venti vinte twintig",
    24: "vierundzwanzig veinticuatro ventiquattro",
    30: "thirty dreißig dreissig trente treinta trenta trinta dertig",
    40: "forty vierzig quarante cuarenta quaranta quarenta veertig",
    45: "fünfundvierzig",
    48: "achtundvierzig quarantotto",
    50: "fifty fünfzig cinquante cincuenta cinquanta cinquenta vijftig",
    60: "sixty sechzig soixante sesenta sessanta sessenta zestig",
    90: "ninety neunzig noventa novanta negentig",
    100: "hundred hundert cent cien cento cem honderd",
}
NUMBERS: Mapping[str, int] = {
    word: number for number, words in _NUMBERS.items() for word in words.split()
}


def either(words: Iterable[str]) -> str:
    """A pattern for any of the words, longest first."""
    return "|".join(map(re.escape, sorted(words, key=len, reverse=True)))
