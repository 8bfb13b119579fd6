"""Times with words in them, in the languages in which helpdesks are sold, as English has them."""

import re

_MONTHS = """
jan january januar janv janvier ene enero janeiro gen gennaio januari sty stycznia янв января ocak
feb february februar févr février fev fevr febrero fevereiro febbraio februari lut lutego фев февр
februar февраля şubat sub
mar march märz mrz mär maerz mars marzo março maart mrt marca мар марта mart
apr april avr avril abr abril aprile kwi kwietnia апр апреля nisan
may mai mayo maio mag maggio mei maja мая май mayıs
jun june juni juin junio junho giu giugno cze czerwca июн июня haziran
jul july juli juil juillet julio julho lug luglio lip lipca июл июля temmuz
aug august août aout ago agosto augustus sie sierpnia авг августа ağustos
sep sept september septembre septiembre setembro set settembre wrz września сен сент сентября eylül
oct october okt oktober octobre octubre out outubro ott ottobre paź października окт октября ekim
nov november novembre noviembre novembro lis listopada ноя нояб ноября kasım
dec december dez dezember déc décembre dic diciembre dezembro dicembre gru grudnia декабря
"""
_MORE = {"aralık": "Dec", "дек": "Dec"}
_ENGLISH = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
_LINES = re.split(r"\n(?=jan|feb |mar |apr|may|jun |jul |aug|sep |oct|nov|dec)", _MONTHS.strip())
MONTHS = {
    word: english for english, line in zip(_ENGLISH, _LINES, strict=True) for word in line.split()
} | _MORE
_FILLERS = """
montag dienstag mittwoch donnerstag freitag samstag sonntag mo di mi do fr sa so
lundi mardi mercredi jeudi vendredi samedi dimanche lun mer jeu ven sam dim
lunes martes miércoles jueves viernes sábado domingo mié jue vie sáb dom
segunda terça quarta quinta sexta feira seg ter qua qui sex
lunedì martedì mercoledì giovedì venerdì sabato domenica gio
maandag dinsdag woensdag donderdag vrijdag zaterdag zondag
poniedziałek wtorek środa czwartek piątek sobota niedziela
понедельник вторник среда четверг пятница суббота воскресенье
de del à a um alle uhr h г в om kl
"""
FILLERS = frozenset(_FILLERS.split())
_WORD = re.compile(r"[^\W\d_]+\.?")
_HOURS = re.compile(r"\b(\d{1,2}) ?h ?(\d{2})\b")
_ORDINAL = re.compile(r"\b(\d{1,2})(?:er|º|°|\.)(?=\s)")


def in_english(value: str) -> str:
    """The time with English months, and without what only joins its parts. What is no such word
    stays, and is not understood by whoever reads it then."""
    value = _ORDINAL.sub(r"\1", _HOURS.sub(r"\1:\2", value))
    words = [word.casefold().rstrip(".") for word in _WORD.findall(value)]
    months = sum(word in MONTHS for word in words)

    def told(found: re.Match[str]) -> str:
        nonlocal months
        word = found[0].casefold().rstrip(".")
        if word == "mar" and months > 1:
            months -= 1
            return ""  # Tuesday, in French and Spanish.
        if word in MONTHS:
            return MONTHS[word]
        return "" if word in FILLERS else found[0]

    return " ".join(_WORD.sub(told, value).replace(" ,", " ").split()).strip(" ,")
