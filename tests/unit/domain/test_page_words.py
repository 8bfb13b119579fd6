"""Which words of messages belong to the page that answers them."""

import pytest

from worker.domain.page_words import (
    LEAST_DIFFERENCE,
    LEAST_MESSAGES,
    MOST_WORDS,
    AnsweredFrom,
    LackingWord,
    StoredPage,
    lacking_words,
)

SHOP, CARDS = StoredPage("a", "shop"), StoredPage("a", "cards")


def answered(words: str, *pages: StoredPage, times: int = 1) -> list[AnsweredFrom]:
    return times * [AnsweredFrom(frozenset(words.split()), frozenset(pages))]


def test_words_that_tell_a_page_from_others_are_its_own() -> None:
    told = lacking_words(
        [
            *answered("parcel eta please", SHOP, times=6),
            *answered("parcel please", SHOP, times=4),
            *answered("card please", CARDS, times=10),
        ],
        {CARDS: frozenset({"card"})},
    )
    assert told == {SHOP: [LackingWord("parcel", 10), LackingWord("eta", 6)]}


def test_a_message_that_two_pages_answer_tells_of_both() -> None:
    told = lacking_words(
        [
            *answered("refund", SHOP, CARDS, times=5),
            *answered("gift", StoredPage("b", "shop"), times=5),
        ],
        {},
    )
    assert {page: [one.word for one in words] for page, words in told.items()} == {
        SHOP: ["refund"],
        CARDS: ["refund"],
        StoredPage("b", "shop"): ["gift"],
    }


@pytest.mark.parametrize("times", [LEAST_MESSAGES - 1, LEAST_MESSAGES])
def test_what_few_have_written_is_left_out(times: int) -> None:
    others = answered("card", CARDS, times=20)
    told = lacking_words([*answered("ada", SHOP, times=times), *others], {})
    assert (SHOP in told) is (times == LEAST_MESSAGES)


def test_chance_and_words_of_every_page_are_left_out() -> None:
    # given a word in four of eight messages of one page, and in three of eight of the other
    part = [*answered("soon", SHOP, times=4), *answered("x", SHOP, times=4)]
    told = lacking_words(
        [*part, *answered("soon", CARDS, times=3), *answered("y", CARDS, times=5)], {}
    )
    assert [one.word for one in told[SHOP]] == ["x"]
    assert [one.word for one in told[CARDS]] == ["y"]
    assert LEAST_DIFFERENCE > 0
    assert lacking_words(answered("soon", SHOP, times=9), {}) == {}, "there is nothing beside it"


def test_no_page_is_given_more_words_than_it_can_bear() -> None:
    many = " ".join(f"w{number:02}" for number in range(30))
    told = lacking_words([*answered(many, SHOP, times=5), *answered("x", CARDS, times=5)], {})
    assert [one.word for one in told[SHOP]] == [f"w{n:02}" for n in range(MOST_WORDS)]
