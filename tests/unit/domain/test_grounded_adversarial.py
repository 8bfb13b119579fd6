"""`grounded` on replies that were written by hand to deceive it (`benchmarks/adversarial`)."""

import time
from collections import Counter

import pytest

from benchmarks.grounded_adversarial import FOLDER, HELD_OUT, Scene, run, scenes
from worker.domain.validation.facts import facts_in

FILES = sorted(path.stem for path in FOLDER.glob("*.txt"))
NOT_FOUND = {
    "times | de": 1,  # 22:00 Uhr, where another day has 10 Uhr
    "minor units elsewhere | en": 3,  # the same value stands there in another currency
    "quantity words | en": 3,  # two dozen, and the page has 24 months; a round hundred
    "quantity words | de": 1,
    "quantity words | fr": 1,
}


def all_of(name: str) -> list[Scene]:
    return list(scenes(FOLDER / f"{name}.txt"))


@pytest.mark.parametrize("name", [name for name in FILES if not name.startswith(HELD_OUT)])
def test_a_faithful_reply_stands_however_it_is_written(name: str) -> None:
    alarms = {
        said: found
        for scene in all_of(name)
        for said in scene.faithful
        if (found := scene.found(said)) is not None
    }
    assert alarms == {}


def test_what_is_made_up_is_found_but_for_what_is_known() -> None:
    missed = Counter(
        f"{scene.kind} | {scene.language}"
        for name in FILES
        if not name.startswith(HELD_OUT)
        for scene in all_of(name)
        for said in scene.made_up
        if scene.found(said) is None
    )
    assert missed == NOT_FOUND


def test_the_set_is_as_large_as_its_figures_say() -> None:
    finding = run(quick=True)
    assert all(figure.ok for figure in finding.figures), finding
    assert finding.facts["fabrications, faithful replies"] == "657, 679"


@pytest.mark.parametrize(
    "said",
    [
        "Once the form is sent, a colleague writes to you.",
        "There is no charge on your account from us.",
        "No fees were taken twice.",
        "Please double-check it: it was charged twice.",
        "Are you free on the phone? Feel free to say so.",
        "A third party has the third option; it pays a third time.",
        "Their last quarter and the other half of the costs.",
        "You may, and they march on as they may; the sooner, the better.",
        "Le tiers payant, le dernier quart, et une fois de plus.",
        "Die doppelte Zahlung tut uns leid.",
    ],
)
def test_a_common_phrase_is_no_fact(said: str) -> None:
    assert [fact.said for fact in facts_in(said) if fact.asked] == []


@pytest.mark.parametrize(
    "kind",
    [
        *("one two ", "one-", "two dozen ", "a third ", "a third of ", "twice the ", "times "),
        *("half past ", "five o'clock ", "9 to ", "quarter to five ", "five heures moins "),
        *("the fifth of May ", "December the ", "one euro ", "euro fifty ", "12-", "GB 1", "ab1 "),
        *("3 times ", "free ", "one point ", "hundert", "by the 6th ", "am 6. "),
        *("el 6 ", "215 € 40 ", "million ", "quatre-vingt-", "7-", "day: 6 ", "zero point zero "),
        *("ending in 1 ", "…123", "> aaa aaa aaa\n", "'aaa aaa", ",,aaa aaa", "› a", "no ", "1x"),
    ],
)  # fmt: skip
def test_it_takes_no_longer_than_the_text_is_long(kind: str) -> None:
    scene = all_of("names")[0]
    reply = (kind * 20_000)[:20_000]
    began = time.process_time()
    scene.found(reply)
    assert time.process_time() - began < 3
