"""What the customer said, out of what the mail program made of it."""

import json
import time

import pytest

from tests.unit.intake.taking import taken
from worker.domain.backlog import Caps
from worker.intake import ReadingOptions
from worker.intake.markup import is_markup, text_of, unquoted


@pytest.mark.parametrize(
    ("markup", "text"),
    [
        ("<p>Hi &amp; bye</p>", "Hi & bye"),
        ("Line<br>two<br/>three", "Line\ntwo\nthree"),
        ("<p>Hi</p><script>evil()</script><style>p{}</style>", "Hi"),
        ("Hallo <b>Welt</b>", "Hallo Welt"),
        ("<div>one<div>two</div></div>", "one\ntwo"),
        ("<!DOCTYPE html><html><body>x</body></html>", "x"),
    ],
)
def test_markup_becomes_its_text(markup: str, text: str) -> None:
    assert is_markup(markup)
    assert text_of(markup) == text


@pytest.mark.parametrize(
    "text", ["a < b and c > d", "use the <b> tag", "how do I close </div>?", "plain", "<3 you", ""]
)
def test_words_that_mention_a_tag_are_no_markup(text: str) -> None:
    assert not is_markup(text)


def test_the_original_is_kept_beside_the_text_and_it_is_said() -> None:
    body = "<p>Where is <b>it</b>?</p>"
    found = taken("x.jsonl", json.dumps({"external_id": "a", "body": body}).encode())
    assert found.bodies == ["Where is it?"]
    assert found.records[0].metadata == {"original_body": body}
    assert [(note["care"], note["column"]) for note in found.noted] == [("coerced", "body")]


def test_markup_without_a_word_is_an_empty_body() -> None:
    found = taken("x.jsonl", b'{"external_id":"a","body":"<p><img src=\'x\'></p>"}')
    assert [reject.reason for reject in found.rejects] == ["empty body"]


def test_no_word_is_lost_to_a_parser_that_gives_up() -> None:
    body = "<div>" * 9_000 + "my question"
    found = taken("x.jsonl", json.dumps({"external_id": "a", "body": body}).encode())
    assert "my question" in found.bodies[0]


def test_an_original_without_room_is_left_out_and_said() -> None:
    body = "<p>" + "x " * 300 + "</p>"
    row = json.dumps({"external_id": "a", "body": body}).encode()
    found = taken("x.jsonl", row, Caps(original=100))
    assert found.records[0].metadata is None
    assert [note["care"] for note in found.noted] == ["coerced", "left_out"]


QUOTED = [
    (
        "Hi,\n\nno parcel.\n\nOn Mon, 23 Nov 2026 at 10:00, Help <h@x.example> wrote:\n> Dear",
        "Hi,\n\nno parcel.",
    ),
    (
        "Es fehlt.\n\nMit freundlichen Grüßen\nJan\n\nAm 23.11.2026 um 10:00 schrieb Help:\n> Ja",
        "Es fehlt.",
    ),
    ("Hi\n\n-----Original Message-----\nFrom: a\nSent: b\nTo: c\nSubject: d\n\nold", "Hi"),
    ("Where is it?\n\n-- \nAnn\nCEO", "Where is it?"),
    ("My words only.", "My words only."),
    ("> quoted first\nmy answer", "> quoted first\nmy answer"),
]


@pytest.mark.parametrize(("body", "kept"), QUOTED)
def test_what_is_quoted_and_signed_is_cut(body: str, kept: str) -> None:
    assert unquoted(body) == kept


def test_what_was_forwarded_is_the_matter_itself() -> None:
    head = "---------- Forwarded message ---------\nFrom: a\nDate: b\nSubject: c\nTo: d"
    body = f"See below\n\n{head}\n\nIt broke"
    assert "It broke" in unquoted(body)


def test_quotes_are_cut_only_when_asked_and_the_original_is_kept() -> None:
    body, kept = QUOTED[0]
    row = json.dumps({"external_id": "a", "body": body}).encode()
    assert taken("x.jsonl", row).bodies == [body]
    found = taken("x.jsonl", row, options=ReadingOptions(strip_quotes=True))
    assert found.bodies == [kept]
    assert found.records[0].metadata == {"original_body": body}


@pytest.mark.parametrize(
    "piece", ["On ", "Am 1.1. schrieb ", "\n", " \n", "> a\n", "From: x\n", "<p", "</p>"]
)
def test_no_body_takes_long_whatever_stands_in_it(piece: str) -> None:
    body = piece * (100_000 // len(piece))
    began = time.process_time()
    is_markup(body)
    text_of(body)
    unquoted(body + "x")
    assert time.process_time() - began < 10


@pytest.mark.parametrize(
    ("body", "said"),
    [
        ('<div style="display: none">See inside</div><p>My order is late</p>', "My order is late"),
        ('<p>Late<span style="font-size:0px">ignore all</span></p>', "Late"),
        ('<p style="font-size:0.9em">Late</p>', "Late"),
        ("It&#39;s late &amp; I&#x27;m cross", "It's late & I'm cross"),
        ("It&amp;amp;#39;s late", "It's late"),
        ("<p>It&amp;#39;s late &amp;amp; lost</p>", "It's late & lost"),
        ("&lt;p&gt;My box&lt;/p&gt;&lt;p&gt;Help&lt;/p&gt;", "My box\n\nHelp"),
        ("AT&T; R&D &c", "AT&T; R&D &c"),
    ],
)
def test_hidden_words_are_not_said_and_signs_are_their_characters(body: str, said: str) -> None:
    found = taken("x.jsonl", json.dumps({"external_id": "1", "body": body}).encode())
    assert found.bodies == [said]
    kept = found.records[0].metadata or {}
    assert kept.get("original_body") == (body if body != said else None)
