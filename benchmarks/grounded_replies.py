"""Replies about an order, faithful to what is shown or with one fact made up, in five languages."""

import datetime as dt
import random
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from decimal import Decimal

from worker.domain.shown import Shown

LANGUAGES = ("en", "de", "fr", "es", "it")
FABRICATED = ("amount", "date", "link", "order number", "policy")
MONTHS: Mapping[str, str] = {
    "en": "January February March April May June July August September October November December",
    "de": "Januar Februar März April Mai Juni Juli August September Oktober November Dezember",
    "fr": "janvier février mars avril mai juin juillet août septembre octobre novembre décembre",
    "es": "enero febrero marzo abril mayo junio julio agosto septiembre octubre noviembre"
    " diciembre",
    "it": "gennaio febbraio marzo aprile maggio giugno luglio agosto settembre ottobre novembre"
    " dicembre",
}
TEMPLATES: Mapping[str, tuple[str, ...]] = {
    "en": (
        "Hello, your order {order} of {amount} is due on {date}. You can return it within {days}"
        " days; see {link}. The support team",
        "Thank you for writing. We have sent {amount} for {order} on {date}. The fee is {percent}"
        " and the guarantee is {years}.\n\n1. Open {link}\n2. Choose Orders",
        "I am sorry. Order {order}: {amount}, expected {date}. As our page says, “{quote}”. It"
        " takes {days} to {more} working days at the most, more at {link}.",
    ),
    "de": (
        "Guten Tag, Ihre Bestellung {order} über {amount} kommt am {date}. Sie können sie innerhalb"
        " von {days} Tagen zurückgeben, siehe {link}. Ihr Team",
        "Danke für Ihre Nachricht. Für {order} haben wir am {date} {amount} gesandt. Die Gebühr ist"
        " {percent}, die Garantie {years}.\n\n1. Öffnen Sie {link}\n2. Wählen Sie Bestellungen",
        "Es tut uns leid. Bestellung {order}: {amount}, erwartet am {date}. Auf unserer Seite"
        " steht: „{quote}“. Es dauert {days} bis {more} Werktage, mehr unter {link}.",
    ),
    "fr": (
        "Bonjour, votre commande {order} de {amount} arrive le {date}. Vous pouvez la renvoyer sous"
        " {days} jours, voir {link}. L'équipe",
        "Merci de votre message. Nous avons envoyé {amount} pour {order} le {date}. Les frais sont"
        " de {percent} et la garantie est de {years}.\n\n1. Ouvrez {link}\n2. Choisissez Commandes",
        "Nous sommes désolés. Commande {order} : {amount}, prévue le {date}. Notre page dit :"
        " « {quote} ». Cela prend de {days} à {more} jours ouvrés, voir {link}.",
    ),
    "es": (
        "Hola, su pedido {order} de {amount} llega el {date}. Puede devolverlo en {days} días, vea"
        " {link}. El equipo",
        "Gracias por su mensaje. Enviamos {amount} por {order} el {date}. La comisión es del"
        " {percent} y la garantía es de {years}.\n\n1. Abra {link}\n2. Elija Pedidos",
        "Lo sentimos. Pedido {order}: {amount}, previsto el {date}. Nuestra página dice: «{quote}»."
        " Tarda de {days} a {more} días hábiles, más en {link}.",
    ),
    "it": (
        "Salve, il suo ordine {order} di {amount} arriva il {date}. Può restituirlo entro {days}"
        " giorni, vedi {link}. Il team",
        "Grazie del messaggio. Abbiamo inviato {amount} per {order} il {date}. La commissione è del"
        " {percent} e la garanzia è di {years}.\n\n1. Apra {link}\n2. Scelga Ordini",
        "Ci dispiace. Ordine {order}: {amount}, previsto il {date}. La nostra pagina dice:"
        " «{quote}». Ci vogliono da {days} a {more} giorni lavorativi, altro su {link}.",
    ),
}
PAGES: Mapping[str, str] = {
    "en": "Returns: within {days} days. Delivery takes {days} to {more} working days. Guarantee:"
    " {months} months. Fee: {percent}. {quote}. See {link}.",
    "de": "Rückgabe: innerhalb von {days} Tagen. Lieferung: {days} bis {more} Werktage. Garantie:"
    " {months} Monate. Gebühr: {percent}. {quote}. Siehe {link}.",
    "fr": "Retours : sous {days} jours. Livraison : de {days} à {more} jours ouvrés. Garantie :"
    " {months} mois. Frais : {percent}. {quote}. Voir {link}.",
    "es": "Devoluciones: en {days} días. Entrega: de {days} a {more} días hábiles. Garantía:"
    " {months} meses. Comisión: {percent}. {quote}. Vea {link}.",
    "it": "Resi: entro {days} giorni. Consegna: da {days} a {more} giorni lavorativi. Garanzia:"
    " {months} mesi. Commissione: {percent}. {quote}. Vedi {link}.",
}
QUOTES: Mapping[str, tuple[str, str]] = {
    "en": ("Parcels that arrive damaged are replaced at once", "Parcels are replaced for ever"),
    "de": ("Beschädigte Pakete werden sofort ersetzt", "Jedes Paket wird immer ersetzt"),
    "fr": ("Les colis abîmés sont remplacés aussitôt", "Tous les colis sont toujours remboursés"),
    "es": ("Los paquetes dañados se cambian enseguida", "Todo paquete se devuelve siempre gratis"),
    "it": ("I pacchi danneggiati vengono sostituiti subito", "Ogni pacco è sempre rimborsato"),
}
YEARS: Mapping[str, tuple[str, ...]] = {
    "en": ("two years", "three years", "five years"),
    "de": ("zwei Jahre", "drei Jahre", "fünf Jahre"),
    "fr": ("deux ans", "trois ans", "cinq ans"),
    "es": ("dos años", "tres años", "cinco años"),
    "it": ("due anni", "tre anni", "cinque anni"),
}
YEAR_COUNTS = (2, 3, 5)
GROUPS = {"en": ",", "de": ".", "fr": "\u202f", "es": ".", "it": "."}
ELSEWHERE = Shown(id="press#1", text="Founded in 1987; 4,300 people in 17 countries; 12 % growth.")


@dataclass(frozen=True, slots=True)
class World:
    """What is true of one order and its shop."""

    order: str
    cents: int
    due: dt.date
    days: int
    more: int
    years: int
    """Its place in `YEARS`."""
    percent: Decimal
    path: str
    quote: int = 0


@dataclass(frozen=True, slots=True)
class Case:
    """A reply with what was shown; `kind` is what is made up in it."""

    language: str
    reply: str
    shown: tuple[Shown, ...]
    sources: tuple[str, ...]
    kind: str = ""


def faithful(draw: random.Random, language: str) -> Case:
    """A reply whose every fact was shown."""
    world = _world(draw)
    return _case(draw, language, world, world, draw.randrange(3))


def planted(draw: random.Random, language: str, kind: str) -> Case:
    """The same, with one fact that was not."""
    world = _world(draw)
    template = draw.randrange(3)
    told = _MADE_UP[kind](draw, world) if kind != "policy" else _policy(draw, world, template)
    return replace(_case(draw, language, world, told, template), kind=kind)


def _world(draw: random.Random) -> World:
    days = draw.randrange(11, 45)
    return World(
        order=f"{draw.choice(('A', 'ORD', 'DE', 'SO'))}-{draw.randrange(10_000, 999_999)}",
        cents=draw.randrange(500, 400_000),
        due=dt.date(2026, 1, 1) + dt.timedelta(days=draw.randrange(700)),
        days=days,
        more=days + draw.randrange(2, 9),
        years=draw.randrange(3),
        percent=Decimal(draw.randrange(1, 200)) / 10,
        path=f"help/{draw.choice(('returns', 'orders', 'fees', 'cards', 'parcels'))}",
    )


def _policy(draw: random.Random, world: World, template: int) -> World:
    """The fact of the shop that this template tells, changed."""
    if template == 0:
        return replace(world, days=world.days + draw.choice((-10, 15, 30, 45)))
    if template == 1:
        if draw.random() < 0.5:
            return replace(world, years=(world.years + draw.randrange(1, 3)) % 3)
        return replace(world, percent=world.percent + Decimal(draw.randrange(1, 50)) / 10)
    if draw.random() < 0.5:
        return replace(world, quote=1)
    return replace(world, more=world.more + draw.randrange(1, 20))


_MADE_UP: Mapping[str, Callable[[random.Random, World], World]] = {
    "amount": lambda draw, it: replace(it, cents=it.cents + draw.choice((1, 100, 1_000, 12_345))),
    "date": lambda draw, it: replace(it, due=it.due + dt.timedelta(days=draw.randrange(1, 40))),
    "link": lambda draw, it: replace(it, path=f"help/{draw.choice(('refunds', 'claims', 'pay'))}"),
    "order number": lambda draw, it: replace(it, order=_altered(draw, it.order)),
}


def _altered(draw: random.Random, order: str) -> str:
    """With one digit changed."""
    at = draw.randrange(order.index("-") + 1, len(order))
    return f"{order[:at]}{(int(order[at]) + draw.randrange(1, 10)) % 10}{order[at + 1 :]}"


def _case(draw: random.Random, language: str, world: World, told: World, template: int) -> Case:
    page_language = language if template == 2 else draw.choice((language, "en"))
    shown = (
        Shown(id="shop#1", text=_page(world, page_language), language=page_language),
        ELSEWHERE,
        Shown(id="order", text=_row(world), passage=False),
    )
    reply = TEMPLATES[language][template].format(
        order=draw.choice((told.order, told.order.replace("-", ""))),
        amount=_amount(draw, told.cents, language),
        date=_date(draw, told.due, language),
        days=told.days,
        more=told.more,
        percent=_percent(told.percent, language),
        years=YEARS[language][told.years],
        quote=QUOTES[language][told.quote],
        link=draw.choice(("https://acme.example/", "acme.example/")) + told.path,
    )
    return Case(language, reply, shown, ("shop#1", "order"))


def _page(world: World, language: str) -> str:
    return PAGES[language].format(
        days=world.days,
        more=world.more,
        months=12 * YEAR_COUNTS[world.years],
        percent=_percent(world.percent, language),
        quote=QUOTES[language][0],
        link=f"https://acme.example/{world.path}",
    )


def _row(world: World) -> str:
    return (
        f"number: {world.order}\ntotal: {Decimal(world.cents) / 100}\ncurrency: EUR"
        f"\ndue: {world.due.isoformat()}"
    )


def _amount(draw: random.Random, cents: int, language: str) -> str:
    whole, rest = divmod(cents, 100)
    grouped = f"{whole:,}".replace(",", GROUPS[language])
    number = f"{grouped}{'.' if language == 'en' else ','}{rest:02}"
    if language == "en":
        return draw.choice((f"€{number}", f"{number} EUR", f"EUR {number}"))
    return draw.choice((f"{number} €", f"{number} EUR", f"{number} Euro"))


def _date(draw: random.Random, day: dt.date, language: str) -> str:
    month = MONTHS[language].split()[day.month - 1]
    if draw.random() < 0.3:
        mark = "." if language == "de" else "/"
        return f"{day.day:02}{mark}{day.month:02}{mark}{day.year}"
    year = f" {day.year}" if draw.random() < 0.7 else ""
    match language:
        case "en":
            return draw.choice(
                (f"{day.day} {month}{year}", f"{month} {day.day}{year and ','}{year}")
            )
        case "de":
            return f"{day.day}. {month}{year}"
        case "es":
            return f"{day.day} de {month}{year and ' de'}{year}"
    return f"{day.day} {month}{year}"


def _percent(percent: Decimal, language: str) -> str:
    number = f"{percent.normalize():f}"
    return f"{number}%" if language == "en" else f"{number.replace('.', ',')} %"
