"""`grounded`: what a reply says stands on what was shown, or is named."""

import pytest

from worker.domain.messages import MessageText
from worker.domain.shown import Shown
from worker.domain.validation import BUILTIN, Draft
from worker.domain.validation.facts import facts_in
from worker.domain.validation.numbers import read_number

RETURNS = Shown(
    id="shop#1",
    text="Returns are free within 30 days; a card costs 6.00 after that. Guarantee: 24 months. "
    "A colleague replies within one working day. Orders above 1,250.50 EUR go by courier. "
    "Margin 0.5 % at the weekend. Answers by 26 November 2026. Open from 9:00 to 17:30. "
    "Our promise: no questions asked within the first month. See https://acme.example/returns.",
)
SALE = Shown(id="sale#1", text="Everything is 20 % off until 3 March 2027, code SPRING-2027.")
ORDER = Shown(
    id="orders",
    text="number: A-48213\ntotal: 1234.5\ncurrency: EUR\ndue: 2026-12-03\nphone: 491701234567",
    passage=False,
)
SHOWN = (RETURNS, SALE, ORDER)


def said(
    reply: str, *, message: str = "Where is it?", language: str | None = None, **more
) -> str | None:  # type: ignore[no-untyped-def]
    draft = Draft(
        reply=reply,
        document={"reply": reply, **more},
        schema={},
        message=MessageText(body=message, language=language),
        instructions="Call 0800 000 0000, or write to help@acme.example.",
        knowledge=SHOWN,
    )
    return BUILTIN["grounded"](draft, {})


@pytest.mark.parametrize(
    ("reply", "language"),
    [
        ("Returns are free within thirty days, and the guarantee is two years.", "en"),
        ("Die Rückgabe ist 30 Tage lang kostenlos, die Karte kostet 6,00 €.", "de"),
        ("Ihre Bestellung A-48213 über 1.234,50 € kommt am 3. Dezember 2026.", "de"),
        ("Votre commande A48213 de 1 234,50 € arrive le 3 décembre.", "fr"),
        (
            "Su pedido A-48213 de 1.234,50 € llega el 3 de diciembre; margen del 0,5 por ciento.",
            "es",
        ),
        ("Il margine è dello 0,5 per cento; una risposta entro 1 giorno lavorativo.", "it"),
        ("Sopra 1.250,50 EUR con corriere; aperti dalle 9 alle 17:30.", "it"),
        (
            "Call 0800 000 0000 or +49 170 1234567, write to Help@acme.example, see acme.example.",
            "en",
        ),
        ("Due 12/03/2026, that is December 3rd. We are here 24/7.", "en"),
        ("1. Open the app\n2. Choose Orders\n\nThere are 3 ways; take the first.", "en"),
        ("As we promise: “No questions asked, within the first month”.", "en"),
        ("Everything is 20% off with SPRING-2027 until 3 March.", "en"),
    ],
)
def test_what_was_shown_may_be_said_in_any_notation(reply: str, language: str) -> None:
    assert said(reply, language=language) is None


@pytest.mark.parametrize(
    ("reply", "named"),
    [
        ("A card costs 7.00 EUR.", "the amount '7.00 EUR'"),
        ("Above $1,250.50 it goes by courier.", "the amount '$1,250.50'"),
        ("The margin is 5 %.", "the percentage '5 %'"),
        ("It comes on 4 December 2026.", "the date '4 December 2026'"),
        ("It comes on 3 December 2027.", "the date '3 December 2027'"),
        ("Returns are free within 60 days.", "the number '60 days'"),
        ("Returns are free within sixty days.", "the number 'sixty days'"),
        ("The guarantee is three years.", "the number 'three years'"),
        ("Your order A-48231 is on its way.", "the number 'A-48231'"),
        ("See acme.example/refunds.", "the link 'acme.example/refunds'"),
        ("See https://acme.example.evil.com.", "the link 'acme.example.evil.com'"),
        ("Write to billing@acme.example.", "the address 'billing@acme.example'"),
        ("Call +49 170 1234568.", "the telephone number '+49 170 1234568'"),
        ("We say: “Always free, no questions asked”.", "the quotation 'always free no questions"),
        ("Open until 18:45.", "the time '18:45'"),
    ],
)
def test_what_was_not_shown_is_named(reply: str, named: str) -> None:
    found = said(reply)
    assert found is not None
    assert named in found


def test_what_the_customer_wrote_may_be_said_again() -> None:
    assert said("You paid 99.95 on 1 May.", message="I paid €99.95 on May 1st!") is None


def test_a_number_is_read_as_the_language_of_the_reply_writes_it() -> None:
    # given the page's 1,250.50 and the order's 1234.5; in German 1.234 is a thousand and more
    assert said("Das sind 1.234 €, und die Antwort dauert einen Tag.", language="de") is not None
    assert said("That is 1,250.50 EUR.", language="en") is None
    assert said("Es sind 1.250,50 EUR.", language="de") is None


def test_a_source_that_was_not_shown_is_a_finding() -> None:
    assert said("Hello.", sources=["shop#1", "orders"]) is None
    assert said("Hello.", sources=["SHOP"]) is None, "the page of a passage names it too"
    assert said("Hello.", sources=["shop#9"]) == (
        "the answer names a source that was not shown: 'shop#9'"
    )


def test_a_passage_counts_where_it_is_cited_and_context_always_does() -> None:
    cited = "It is 20 % off, order A-48213."
    assert said(cited, sources=["sale#1"]) is None
    assert said(cited, sources=["shop#1"]) == (
        "the percentage '20 %' stands in a passage that the answer does not cite"
    )
    assert said(cited) is None, "a schema that asks for no sources leaves all of them"


def test_several_are_told_in_one_sentence() -> None:
    found = said("71 days, 72 days, 73 days, 74 days and 75 days.")
    assert found == (
        "the number '71 days', the number '72 days', the number '73 days' and 2 more stand in"
        " nothing that was shown"
    )


@pytest.mark.parametrize(
    ("written", "language", "values"),
    [
        ("1.234", None, {"1234", "1.234"}),
        ("1.234", "de", {"1234"}),
        ("1.234", "en", {"1.234"}),
        ("1,234", "de", {"1.234"}),
        ("1,234", "en", {"1234"}),
        ("1.234,5", None, {"1234.5"}),
        ("1,234,567", "de", {"1234567"}),
        ("1\u202f234,56", "fr", {"1234.56"}),
        ("0,500", "en", {"0.5"}),
        ("1" * 30, "en", set()),
    ],
)
def test_numbers_by_value(written: str, language: str | None, values: set[str]) -> None:
    assert {f"{value.normalize():f}" for value in read_number(written, language)} == values


def test_ranges_share_what_they_measure() -> None:
    asked = {key for fact in facts_in("2 to 4 days, €5–10") for key in fact.asked}
    assert {("hours", 48), ("hours", 96), ("EUR", 5), ("EUR", 10)} <= asked
