"""`grounded`: days that are told from today are facts, and what is reckoned rightly is none."""

import pytest

from worker.domain.messages import MessageText
from worker.domain.shown import Shown
from worker.domain.validation import BUILTIN, Draft

PAGE = (
    "Returns within 30 days. A cup costs 9.99 EUR, a plate 4.99 EUR. Delivery takes 24 hours."
    " Members get 10 % off. Open Monday to Friday, at the weekend by mail."
)


def said(reply: str, page: str = PAGE) -> str | None:
    draft = Draft(
        reply=reply,
        document={"reply": reply},
        schema={},
        message=MessageText(body="Hello?"),
        knowledge=(Shown(id="p#p", text=page),),
    )
    return BUILTIN["grounded"](draft, {})


@pytest.mark.parametrize(
    "reply",
    [
        "Two cups: 2 × 9.99 EUR = 19.98 EUR.",
        "2 x 9.99 = 19.98",
        "A cup (9.99 EUR) and a plate (4.99 EUR) come to 14.98 EUR, which is 5.00 EUR more.",
        "Mit 10 % Rabatt sind 9,99 EUR nur 8,99 EUR.",
        "10 % of 9.99 EUR are 1.00 EUR.",
        "Delivery takes 1 day; you have 4 weeks and 2 days.",
    ],
)
def test_what_follows_from_numbers_that_it_names_stands(reply: str) -> None:
    assert said(reply) is None


@pytest.mark.parametrize(
    ("reply", "named"),
    [
        ("That comes to 19.98 EUR.", "'19.98 EUR'"),
        ("A cup (9.99 EUR) and a plate (4.99 EUR) come to 15.98 EUR.", "'15.98 EUR'"),
        ("Two bowls: 2 × 8.88 EUR = 17.76 EUR.", "'8.88 EUR', the amount '17.76 EUR'"),
        ("Mit 10 % Rabatt sind 9,99 EUR nur 7,99 EUR.", "'7,99 EUR'"),
        ("Within 30 days, for 4.99 EUR: 34.99 EUR.", "'34.99 EUR'"),
        ("You have 4 weeks and 3 days.", "'4 weeks', the number '3 days'"),
        ("You have 4 weeks and 2 days, for 8.88 EUR.", "the amount '8.88 EUR' stands"),
    ],
)
def test_what_does_not_follow_is_named(reply: str, named: str) -> None:
    assert named in (said(reply) or "")


@pytest.mark.parametrize(
    ("reply", "page"),
    [
        ("Guten Morgen, heute morgen kam nichts.", PAGE),
        ("guten morgen, gestern morgen kam es an.", "Sent yesterday."),
        ("Llega por la mañana.", PAGE),
        ("Thank you for your message today.", PAGE),
        ("We are open on Wednesday.", PAGE),
        ("Wir haben mittwochs offen.", "Mo–Fr 9:00 Uhr"),
        ("It arrives on Friday.", "Due 2026-11-27."),
        ("It arrives on Friday, 27 November.", "Due 27 November."),
        ("Es kommt morgen.", "Delivery is tomorrow."),
        ("Sie haben 14 Tage.", "You have a fortnight."),
        ("You have a fortnight.", "Sie haben zwei Wochen."),
    ],
)
def test_days_that_a_source_tells_as_well_stand(reply: str, page: str) -> None:
    assert said(reply, page) is None


@pytest.mark.parametrize(
    "reply",
    [
        "It arrives tomorrow.",
        "Es kommt morgen an.",
        "Il arrive demain.",
        "Llega mañana.",
        "Arriva domani.",
        "Chega amanhã.",
        "Het komt overmorgen.",
        "Wir melden uns nächste Woche.",
        "On vous appelle le mois prochain.",
        "It was sent yesterday.",
        "You have a fortnight.",
        "We are open on Sunday.",
        "Le livreur passe samedi.",
        "It is there in 3 days.",
    ],
)
def test_a_day_that_no_source_tells_is_named(reply: str) -> None:
    assert "stands in nothing that was shown" in (said(reply) or "")
