"""The filter language: any text is a tree or a sentence, and what is printed parses again."""

import pytest
from hypothesis import assume, example, given

from tests.support.filter_trees import babble, trees
from worker.domain.filter_parsing import MAX_COMPARISONS, MAX_DEPTH, parse
from worker.domain.filter_tokens import MAX_LENGTH, WINDOW
from worker.domain.filters import FilterError, Node, show


def outcome(text: str) -> Node | FilterError:
    try:
        return parse(text)
    except FilterError as error:
        return error


@given(babble)
@example("(" * 1_999)
@example("not " * 400)
@example("state = \ud800")
@example("age < 9999999w")
@example("metadata.''=''")
def test_any_text_is_a_tree_or_a_filter_error(text: str) -> None:
    found = outcome(text)
    if isinstance(found, FilterError):
        # then it is one sentence, the filter and a caret below it, within a terminal's width
        sentence, shown, caret = str(found).split("\n")
        assert sentence
        assert max(len(shown), len(caret)) <= WINDOW + 4
        assert set(caret.strip()) == {"^"}
    else:
        assert parse(show(found)) == found


@given(trees)
def test_what_is_printed_parses_to_the_same_tree(tree: Node) -> None:
    text = show(tree)
    assume(len(text) <= MAX_LENGTH)
    assert parse(text) == tree


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("state=review OR confidence<0.60", "state = review or confidence < 0.60"),
        ("difficulty in (simple,'COMPLEX')", "difficulty in (SIMPLE, COMPLEX)"),
        ("tier = opus and (run = a or run = b)", "tier = opus and (run = a or run = b)"),
        ("(tier = opus and run = a) or run = b", "tier = opus and run = a or run = b"),
        ("not (not state = dead)", "not not state = dead"),
        ("tier not in (opus)", "not tier in (opus)"),
        ("state contains rev", "state contains rev"),
        ("age > 168h and cost >= 0.05", "age > 1w and cost >= 0.05"),
        ("METADATA.Shop = 'it''s'", "metadata.Shop = 'it''s'"),
        ('metadata."order id" > 3', "metadata.'order id' > 3"),
        ("policy = single:haiku", "policy = single:haiku"),
        ("channel = 'and'", "channel = 'and'"),
    ],
)
def test_what_means_the_same_is_shown_the_same(text: str, shown: str) -> None:
    assert show(parse(text)) == shown


@pytest.mark.parametrize(
    ("text", "sentence", "pointed"),
    [
        ("confidnce < 1", "There is no field 'confidnce'; did you mean confidence?", "confidnce"),
        ("state = reviews", "'reviews' is no state; did you mean review?", "reviews"),
        (
            "state = review or dead",
            "'dead' is no field; for several values write: state in (…, dead)",
            "dead",
        ),
        ("confidence < high", "confidence is compared with a number, and 'high' is none.", "high"),
        ("cost > 5dollars", "cost is compared with a number, and '5dollars' is none.", "5dollars"),
        ("confidence > -1", "confidence runs from 0 to 1; -1 is outside.", "-1"),
        ("confidence < 60", "confidence runs from 0 to 1; 60 is outside.", "60"),
        (
            "age > 7",
            "age is compared with a span like 7d, 36h or 90m; '7' is none.",
            "7",
        ),
        ("age > 5300w", "That is more than a hundred years.", "5300w"),
        ("state == dead", "Equality is written with one =.", "=="),
        ("tier <> opus", "Write != instead of <>.", "<>"),
        ("tier = a && tier = b", "Write and instead of &&.", "&&"),
        ("state > dead", "After state comes one of: = != in contains", ">"),
        ("(state = dead", "This ( is never closed.", "("),
        ("tier = 'opus", "This ' is never closed.", "'"),
        ("tier = and", "and is a word of the language; quote it to mean a value.", "and"),
        ("run = a 'or' run = b", "Between two comparisons stands `and` or `or`.", "'or'"),
        ("tier in '(' opus)", "After in comes a list: in (a, b)", "'('"),
        ("run = a run = b", "Between two comparisons stands `and` or `or`.", "run"),
        ("tier = \x07", "A filter holds text, and U+0007 cannot be seen.", "\x07"),
        ("metadata = 1", "metadata needs a key: metadata.KEY", "metadata"),
    ],
)
def test_errors_are_sentences_that_point_at_the_word(
    text: str, sentence: str, pointed: str
) -> None:
    with pytest.raises(FilterError) as refused:
        parse(text)
    assert (refused.value.sentence, text[refused.value.start : refused.value.end]) == (
        sentence,
        pointed,
    )


def test_a_long_filter_is_shown_around_the_word() -> None:
    with pytest.raises(FilterError) as refused:
        parse("tier = opus and " * 40 + "teir = opus" + " and tier = opus" * 40)
    _, shown, caret = str(refused.value).split("\n")
    assert shown[caret.index("^") : caret.rindex("^") + 1] == "teir"
    assert len(shown) <= WINDOW + 4


def test_length_depth_and_number_are_bounded() -> None:
    deep, wide = MAX_DEPTH, MAX_COMPARISONS
    assert parse("(" * deep + "cost > 1" + ")" * deep)
    assert parse(" or ".join(["cost > 1"] * wide))
    for text in (
        "(" * (deep + 1) + "cost > 1" + ")" * (deep + 1),
        " or ".join(["cost > 1"] * (wide + 1)),
        "tier in (" + ",".join(["a"] * 202) + ")",
        "tier = " + "a" * MAX_LENGTH,
    ):
        with pytest.raises(FilterError):
            parse(text)
