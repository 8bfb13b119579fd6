"""What is said to cost nothing: `free of charge`, `no fee`, `kostenlos`, `sans frais`, `0 €`.

A source says so by any word of the kind; a reply is asked for it only where its words can mean
nothing else (`feel free`, `you are free to …`, `no charge was made` are left alone).
"""

import re
from collections.abc import Iterator

from worker.domain.validation.fact import Fact, Key

FREE: Key = ("free",)
_ADVERB = r"(?:(?:always|also|still|now|completely|entirely|absolutely|both|all) )?"
_MORE = r"(?:extra |additional |further |added )?"
_FROM = r"(?! (?:to|of(?! (?:any )?charge)|from(?! \W{0,2}\d))(?!\w))"
_ASKED = re.compile(
    r"(?<!\w)(?:"
    r"free of (?:any )?charge|for free|at no (?:extra |additional |further )?(?:charge|cost)"
    rf"|(?<!you )(?:is|are|be|it['’]s|they['’]re) {_ADVERB}free(?![\w-]){_FROM}"
    r"|free (?:shipping|delivery|returns?|replacement|exchange|postage|upgrade|gift|card)s?"
    rf"|(?:no|without(?: any)?|zero) {_MORE}(?:fees?|costs?)(?! (?:of|was|were|has|have)(?!\w))"
    rf"|no {_MORE}charges? for|costs? (?:you )?(?:nothing|you nothing)"
    r"|complimentary|waive[ds]? (?:the|your|any|this|that|all) (?:\w{1,15} )?(?:fees?|charges?)"
    r"|on the house"
    r"|kostenlos\w{0,2}|kostenfrei\w{0,2}|gebührenfrei\w{0,2}|portofrei|versandkostenfrei|gratis"
    r"|(?:ist|für sie) umsonst|(?:keine(?:rlei)?|ohne) (?:weiteren? |zusätzlichen? )?"
    r"(?:kosten|gebühr(?:en)?)|kostet (?:sie )?nichts"
    r"|gratuit(?:e?s?|ement)|sans (?:aucun )?frais|(?:est|sont|vous est) offerte?s?|sans coût"
    r"|gratuit[oa]s?|gratuitamente|gratuit[ei]"
    r"|(?:sin|no tiene(?: ningún)?|sin ningún) (?:coste|costo|cargo)s?|sin gastos"
    r"|senza (?:alcun )?(?:costi|costo|spese)|non costa nulla|no cuesta nada"
    r"|grátis|sem (?:custos?|encargos)|kosteloos|zonder kosten"
    r")(?!\w)",
    re.IGNORECASE,
)
_HELD = re.compile(
    r"(?<!\w)(?:(?<!feel )(?<!toll-)free(?!\w|-range| to(?!\w))|nothing|complimentary|waive[ds]?"
    r"|included|no (?:\w{1,12} )?(?:fee|charge|cost)s?|without (?:\w{1,12} )?(?:fee|charge|cost)s?"
    r"|(?:not|n['’]t) (?:charge|cost)\w{0,2}|on the house"
    r"|\w{0,12}frei(?:e[rnms]?)?|inklusive|inbegriffen|enthalten|umsonst|nichts"
    r"|keine (?:\w{1,14} )?\w{0,9}(?:kosten|gebühr(?:en)?)|offerte?s?|incluse?s?|comprise?s?"
    r"|incluid[oa]s?|inclus[oaie]|compres[oaie]|rien|nada|nulla|inbegrepen)(?!\w)",
    re.IGNORECASE,
)


def free_in(text: str) -> Iterator[Fact]:
    """What is asked for by the words that say it, and what may be asked for it."""
    said = [match.group() for match in _ASKED.finditer(text)]
    yield from (Fact(kind="the price", said=one, asked=(FREE,), held=(FREE,)) for one in said)
    if not said and (match := _HELD.search(text)):
        yield Fact(kind="the price", said=match.group(), held=(FREE,))
