"""Amounts and days in words, as facts; and words of numbers that say none."""

import pytest

from worker.domain.validation.facts import facts_in

EUROS = [
    ("a hundred euros", 100),
    ("twelve hundred euros", 1_200),
    ("two million three hundred thousand euros", 2_300_000),
    ("two point seven five euros", 2.75),
    ("two and a quarter euros", 2.25),
    ("hundert Euro", 100),
    ("zweihundertvierzehn Euro", 214),
    ("eintausendfünfhundert Euro", 1_500),
    ("dreizehn Euro", 13),
    ("eine Million Euro", 1_000_000),
    ("null Komma fünf Euro", 0.5),
    ("cent euros", 100),
    ("quatre-vingt-dix-sept euros", 97),
    ("un million d'euros", 1_000_000),
    ("deux virgule soixante-quinze euros", 2.75),
    ("ochocientos treinta y cinco euros", 835),
    ("un millón de euros", 1_000_000),
    ("duemilacinquecento euro", 2_500),
    ("centottanta euro", 180),
    ("l'uno virgola cinque euro", 1.5),
    ("tweehonderdvijftig euro", 250),
    ("seiscentos euros", 600),
]
DAYS = [
    ("It is due by the 6th.", 6),
    ("Pay before the twenty-first.", 21),
    ("Der Betrag ist am 6. fällig.", 6),
    ("Der Betrag ist bis zum zwölften fällig.", 12),
    ("Le paiement est dû avant le 16 du mois.", 16),
    ("Le paiement est dû le neuf.", 9),
    ("El pago vence el día nueve.", 9),
    ("A partir del 3 cambia el precio.", 3),
    ("Il pagamento scade entro il 16 del mese.", 16),
]


def asked_in(said: str) -> list[tuple[object, ...]]:
    return [key for fact in facts_in(said) for key in fact.asked]


@pytest.mark.parametrize(("said", "euros"), EUROS)
def test_an_amount_in_words_is_one_of_digits(said: str, euros: float) -> None:
    found = [key[1] for key in asked_in(f"It is {said}.") if key[0] == "EUR"]
    assert [float(value) for value in found] == [euros]  # type: ignore[arg-type]


@pytest.mark.parametrize(("said", "day"), DAYS)
def test_a_day_without_its_month_is_a_date(said: str, day: int) -> None:
    assert asked_in(said) == [("day of a month", day)]


@pytest.mark.parametrize(
    "shown",
    [
        *("due: 2026-12-06", "due_day: 6", "pay on the 6th of each month", "6.12.2026"),
        *("from 6 to 9 December", "6–9 December 2026", "am 6. und 9. Dezember"),
    ],
)
def test_a_source_that_names_the_day_holds_it(shown: str) -> None:
    assert any(("day of a month", 6) in fact.held for fact in facts_in(shown))


@pytest.mark.parametrize(
    "said",
    [
        "Take the lift to the 3rd floor, the 2nd door on the left.",
        "On the one hand yes; first of all, one of our agents needs a second.",
        "At one point two of us looked. A hundred thanks, there are a thousand reasons.",
        "Am 2. Schalter, im 3. Stock. Am ersten Schalter, zum zweiten Mal.",
        "Einer von uns, einen Moment; hundertprozentig, tausend Dank.",
        "Le 2e colis, le premier et le deuxième; mille mercis, cent fois.",
        "En el 3.º piso. Un millón de gracias, al cien por cien.",
        "Grazie mille e a presto, al cento per cento; il 3° piano.",
        "We seize the day, and once more.",
        "Le 2 colis est là.",
    ],
)
def test_words_of_numbers_that_measure_nothing_are_no_facts(said: str) -> None:
    assert asked_in(said) == []


@pytest.mark.parametrize(
    "said", ["Wir erstatten hundert Prozent.", "Te devolvemos el cien por cien."]
)
def test_a_whole_is_a_fact_beside_a_word_of_worth(said: str) -> None:
    assert [key[0] for key in asked_in(said)] == ["percent"]


def test_coins_behind_a_gap_may_be_read_either_way() -> None:
    held = {key for fact in facts_in("215 € 40 au total") for key in fact.held}
    assert {("EUR", 215), ("EUR", 40)} <= held
    assert any(key[0] == "EUR" and float(key[1]) == 215.4 for key in held)  # type: ignore[arg-type]
