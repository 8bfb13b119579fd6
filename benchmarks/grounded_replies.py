"""Replies about an order, faithful to what is shown or with one fact made up, in five languages."""

import datetime as dt
import random
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from decimal import Decimal

from benchmarks.grounded_words import MONTHS, PAGES, PARTS, QUOTES, TEMPLATES
from worker.domain.shown import Shown

LANGUAGES = ("en", "de", "fr", "es", "it")
FABRICATED = (
    *("amount", "date", "link", "order number", "policy"),
    *("the day beside it", "swapped digits", "look-alike host", "a word of a quotation"),
)
YEARS: Mapping[str, tuple[str, ...]] = {
    "en": ("two years", "three years", "five years"),
    "de": ("zwei Jahre", "drei Jahre", "fünf Jahre"),
    "fr": ("deux ans", "trois ans", "cinq ans"),
    "es": ("dos años", "tres años", "cinco años"),
    "it": ("due anni", "tre anni", "cinque anni"),
}
YEAR_COUNTS = (2, 3, 5)
GROUPS = {"en": ",", "de": ".", "fr": "\u202f", "es": ".", "it": "."}
LOOK_ALIKES = (
    *("\u0430cme.example", "acm\u0435.example", "acrne.example", "acme-help.example"),
    *("acme.example.help.example", "acme.shop"),
)
"""Two of them with a letter of the Cyrillic alphabet."""
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
    host: str = "acme.example"


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
    template = draw.randrange(3) if kind != "a word of a quotation" else 2
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
    "the day beside it": lambda draw, it: replace(
        it, due=it.due + dt.timedelta(days=draw.choice((-1, 1)))
    ),
    "swapped digits": lambda draw, it: replace(it, order=_swapped(draw, it.order)),
    "look-alike host": lambda draw, it: replace(it, host=draw.choice(LOOK_ALIKES)),
    "a word of a quotation": lambda draw, it: replace(it, quote=2),
}


def _altered(draw: random.Random, order: str) -> str:
    """With one digit changed."""
    at = draw.randrange(order.index("-") + 1, len(order))
    return f"{order[:at]}{(int(order[at]) + draw.randrange(1, 10)) % 10}{order[at + 1 :]}"


def _swapped(draw: random.Random, order: str) -> str:
    """With two neighbouring digits that differ in each other's place; one changed where none do."""
    begin = order.index("-") + 1
    places = [at for at in range(begin, len(order) - 1) if order[at] != order[at + 1]]
    if not places:
        return _altered(draw, order)
    at = draw.choice(places)
    return f"{order[:at]}{order[at + 1]}{order[at]}{order[at + 2 :]}"


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
        link=draw.choice(("https://", "")) + f"{told.host}/{told.path}",
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
    parts = (PARTS[language].format(whole=whole, cents=rest), f"{whole}€{rest:02}")
    if language == "en":
        return draw.choice((f"€{number}", f"{number} EUR", f"EUR {number}", *parts))
    return draw.choice((f"{number} €", f"{number} EUR", f"{number} Euro", *parts))


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
