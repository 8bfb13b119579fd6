"""Places in a row: names, alternatives, and which elements are meant."""

from typing import Any

import pytest

from worker.intake.layouts import getter_of
from worker.intake.paths import parse_place, without_conditions

ROW: dict[str, Any] = {
    "who": {"id": 5, "kind": "user"},
    "open": True,
    "text": "",
    "html": "<p>x</p>",
    "turns": [
        {"by": 7, "hidden": True, "body": "note"},
        {"by": 5, "body": ""},
        {"by": 5, "body": "", "html": "first"},
        {"by": 5, "body": "second"},
        {"by": 8, "body": "agent"},
    ],
    "empty": [],
    "a/b": "whole",
    "in": {"c/d": "inner"},
    "blank": [{"by": 9, "body": " \n"}, {"by": 9, "body": "said"}, {"by": "user,lead"}],
    "docs": [{"type": "doc", "content": []}, {"type": "doc", "content": [{"text": "typed"}]}],
    "days": [{"20261101": "monday"}],
}


@pytest.mark.parametrize(
    ("place", "wanted"),
    [
        ("turns[by=5].0.body/html", "first"),
        ("turns[by=5].1.body/html", "second"),
        ("turns[by=5].-1.body", "second"),
        ("turns[by=$who.id].0.body", "second"),
        ("turns[by!=$who.id].-1.body", "agent"),
        ("turns[by=$nobody.id].0.body", None),
        ("turns[hidden!=true][by!=5].0.body", "agent"),
        ("turns[by=7,8].-1.body", "agent"),
        ("turns.1.body", None),
        ("text/html", "<p>x</p>"),
        ("html/text", "<p>x</p>"),
        ("[open=true].html", "<p>x</p>"),
        ("[open=false].html|[open!=true].html", None),
        ("[empty=null].html", "<p>x</p>"),
        ("[nothing=null].html", "<p>x</p>"),
        ("[turns=null].html", None),
        ("who[kind=user].id", 5),
        ("[who.kind!=user].html", None),
        ("a/b", "whole"),
        ("in.c/d", "inner"),
        ("turns[by=5", None),
        ("turns[by]", None),
        ("turns.[by=5].0.body", None),
        ("html[kind=user]", None),
        ("blank[by=9].0.body", "said"),
        ("blank[by=user,lead].by", "user,lead"),
        ("docs[type=doc].0", "typed"),
        ("turns.html", "first"),
        ("in.c/", None),
        ("days.20261101", "monday"),
        (f"turns.{'1' * 5_000}", None),
    ],
)
def test_a_place_leads_where_it_says(place: str, wanted: Any) -> None:
    getter = getter_of(parse_place(place), tuple(ROW), set())
    assert (getter(ROW) if getter is not None else None) == wanted


def test_people_read_a_place_without_its_conditions() -> None:
    place = "[a!=false].description|comments[x=1][y=$z].0.body|[c=null].description"
    assert without_conditions(place) == "description|comments.0.body"
    assert parse_place(place).picks
    assert not parse_place("a.b|c+d").picks
