"""Questions that no page answers are grouped by what they share."""

from worker.domain.gaps import gaps_in


def test_questions_are_grouped_by_their_words_largest_first() -> None:
    # given
    gift = ["Do you sell gift cards?", "Is there a gift card?", "I want gift cards please"]
    asked = [*gift, "Where is your office?", "Is the office open?", "¿?"]
    # when
    found = gaps_in(enumerate(asked))
    # then
    assert [(gap.words, gap.count, gap.keys) for gap in found] == [
        ("gift card", 3, (0, 1, 2)),
        ("office", 2, (3, 4)),
        ("", 1, (5,)),
    ]
    assert sum(gap.count for gap in found) == len(asked)


def test_a_large_group_says_what_its_questions_are_about() -> None:
    asked = ["A gift card for my mother?", "Can I use a gift card twice?"]
    asked += [f"The balance of my gift card {n}?" for n in "abcd"]
    asked += [f"Gift card for Belgium {n}?" for n in "abc"]
    asked += ["Where is the address?", "Which addresses?", "My new address"]
    (gift, office) = gaps_in(enumerate(asked[:-2] + asked[-1:]))
    assert office.words == "address"
    assert (gift.words, gift.count) == ("gift card", 9)
    assert gift.parts == (("balance", 4), ("belgium", 3))
    assert (office.count, office.parts) == (2, ())


def test_questions_that_are_all_about_one_thing_are_one_group() -> None:
    # given
    about = ("balance", "delivery", "refund")
    asked = [f"The {about[n % 3]} of my gift card number {n}?" for n in range(41)]
    # when
    (gift,) = gaps_in(enumerate(asked))
    # then
    assert (gift.words, gift.count) == ("gift card", 41)
    assert sorted(gift.parts) == [("balance", 14), ("delivery", 14), ("refund", 13)]


def test_nothing_asked_is_no_gap() -> None:
    assert gaps_in([]) == []
