"""Each validator finds what it is for, and nothing else."""

import json
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from jsonschema import Draft202012Validator

from worker.config.settings import Settings
from worker.config.validators import load_validators
from worker.domain.messages import MessageText
from worker.domain.policy import ValidatorUse
from worker.domain.schemas import INLINE_ANSWER_SCHEMA
from worker.domain.validation import BUILTIN, Draft, builtin, findings_of

FINE = "Your card was sent on Monday and arrives within five working days. You can follow it."
INSTRUCTIONS = (
    "You answer customers of Harbourlight and you never promise a refund of any amount to anyone."
)
QUESTION = "Where is my card? It was due on Monday, within five working days, you said."


def draft(reply: str, message: str = QUESTION) -> Draft:
    document = {
        "reply": reply,
        "sources": [],
        "grounds": "known",
        "action": "Reply",
        "confidence": 0.9,
    }
    return Draft(
        reply=reply,
        document=document,
        schema=INLINE_ANSWER_SCHEMA,
        message=MessageText(body=message),
        instructions=INSTRUCTIONS,
    )


CASES: list[tuple[str, Mapping[str, Any], str]] = [
    ("placeholder", {}, "Dear [customer name], your card is on its way to you."),
    ("placeholder", {}, "Dear {{name}}, your card is on its way to you."),
    ("length", {}, "Yes."),
    ("length", {"max_chars": 50}, FINE),
    ("must_match", {"patterns": ["Harbourlight"]}, FINE),
    ("must_not_match", {"patterns": [r"(?i)working days"]}, FINE),
    ("promises", {}, "We will refund you $25.00 by tomorrow, and that is certain."),
    ("promises", {}, "Honestly, you should sue them: you have a strong legal case here."),
    ("promises", {}, "A refund of 30 euros has been issued to you this morning."),
    ("promises", {}, "You will receive a full refund of $12.50 within three days."),
    ("promises", {}, "$40 has been credited to your account, as you asked us to."),
    ("promises", {}, "I have approved a $15 refund for the late card, with our apologies."),
    ("promises", {}, "According to the law, you must be paid within ten days of asking."),
    ("personal_data", {}, "We have written to jane.doe@example.com about it, as you asked."),
    ("personal_data", {}, "Your card 4111 1111 1111 1111 is on its way to you now."),
    ("personal_data", {}, "Use sk-ant-api03-abcdefghijklmnop to sign in to the service."),
    ("personal_data", {}, "Your colleague can be reached at +44 20 7946 0958 all day long."),
    ("personal_data", {}, "Call him at (555) 123-4567 and he will tell you all about it."),
    ("personal_data", {}, "Your IBAN is DE89 3704 0044 0532 0130 00, as far as we can see it."),
    ("personal_data", {}, "His identity number is 078-05-1120, and that is all that we know."),
    ("personal_data", {}, "The password is hunter2, which you may now use to sign in again."),
    ("links", {}, "See https://harbourlight.example/help for all of the details."),
    ("links", {"allow": ["harbourlight.example"]}, "See https://evil.example/pay for details."),
    ("links", {"allow": ["good.example"]}, "See https://good.example@evil.example/x for more."),
    ("links", {"allow": ["good.example"]}, "See https://good.example:80@evil.example/ now."),
    ("links", {"allow": ["good.example"]}, "See [this](HTTPS://evil.example:443/x) for more."),
    ("links", {"allow": ["good.example"]}, "Go to evil-bank.com/login and sign in there."),
    ("links", {"allow": ["good.example"]}, "Go to https://good.example.evil.com and sign in."),
    ("must_not_match", {"patterns": [r"(a+)+$"]}, "a" * 3_000 + "b"),
    ("must_match", {"patterns": [r"(a+)+$"]}, "a" * 3_000 + "b"),
    ("leaked_prompt", {}, "I was told: " + INSTRUCTIONS),
    ("repeated", {}, "Your card is on its way. " * 3),
    ("language", {}, "Ihre Karte ist unterwegs und kommt in den nächsten Tagen bei Ihnen an."),
]


@pytest.mark.parametrize(("name", "options", "reply"), CASES)
def test_finds_what_it_is_for(name: str, options: Mapping[str, Any], reply: str) -> None:
    assert BUILTIN[name](draft(reply), options) is not None


@pytest.mark.parametrize("name", sorted(BUILTIN))
def test_lets_a_good_reply_pass(name: str) -> None:
    options = {"patterns": ["card"]} if name == "must_match" else {"patterns": ["refund"]}
    assert BUILTIN[name](draft(FINE), options) is None


@given(st.text(), st.text())
@pytest.mark.parametrize("name", sorted(set(BUILTIN) - {"language"}))
def test_never_raises(name: str, reply: str, message: str) -> None:
    said = BUILTIN[name](draft(reply, message), {})
    assert said is None or isinstance(said, str)


def test_what_the_message_held_may_be_said_back() -> None:
    asked = "My address is jane.doe@example.com and my card is XXXX. Why?"
    for name in ("personal_data", "placeholder"):
        reply = "We will write to jane.doe@example.com about the card XXXX that you mention."
        assert BUILTIN[name](draft(reply, asked), {}) is None


def test_links_below_an_allowed_host_pass() -> None:
    options = {"allow": ["harbourlight.example"]}
    assert BUILTIN["links"](draft("See https://help.harbourlight.example/cards"), options) is None
    assert BUILTIN["links"](draft("See https://notharbourlight.example/cards"), options) is not None


@pytest.mark.parametrize(
    ("name", "reply"),
    [
        ("promises", "We cannot promise a refund here; a colleague looks at the $25 charge today."),
        ("promises", "The fee is $25 for each transfer abroad, as the list of fees says it."),
        ("promises", "Refunds usually take 5 days once the shop has sent the money back to us."),
        ("personal_data", "Order 12345678 was placed on 2026-11-24 at 10:15 and costs 1,250.00."),
        ("personal_data", "Your password is safe with us, and nobody here can read it at all."),
        ("links", "Open the app, choose Cards, e.g. the blue one, then Freeze. It takes 2.5 min."),
    ],
)
def test_what_only_looks_like_it_is_let_through(name: str, reply: str) -> None:
    assert BUILTIN[name](draft(reply), {}) is None


@pytest.mark.parametrize("name", sorted(BUILTIN))
@pytest.mark.parametrize(
    "piece",
    ["a.", "a ", "1 ", "AB12 CDEF ", "[your ", "{{", "\n", "we refund ", 'say "', "x://", "+1 ",
     "say to ignore rule ", "$1 "],
)  # fmt: skip
def test_no_text_makes_a_validator_slow(name: str, piece: str) -> None:
    # given: more than any model may write in one answer
    long = piece * (100_000 // len(piece))
    started = time.process_time()
    # when
    BUILTIN[name](draft(long, long), {"patterns": ["refund"]})
    # then: it is linear, and far from the seconds that a quadratic one takes
    assert time.process_time() - started < 2


def test_a_schema_of_ones_own_is_lenient_where_the_model_is_not_held_to_it() -> None:
    schema = {"type": "object", "properties": {"topic": {"enum": ["card", "loan", 3]}}}
    for said, is_fine in (("Card", True), ("LOAN", True), ("weather", False), (3, True)):
        found = BUILTIN["schema"](
            Draft(
                reply=FINE, document={"topic": said}, schema=schema, message=MessageText(body="?")
            ),
            {},
        )
        assert (found is None) is is_fine


def test_a_pattern_in_a_schema_has_its_time_bound_too() -> None:
    schema = {"type": "object", "properties": {"code": {"type": "string", "pattern": "(a+)+$"}}}
    started = time.monotonic()
    found = BUILTIN["schema"](
        Draft(
            reply=FINE,
            document={"code": "a" * 5_000 + "b"},
            schema=schema,
            message=MessageText(body="?"),
        ),
        {},
    )
    assert found == "code breaks the schema's pattern rule"
    assert time.monotonic() - started < 5


def test_the_users_own_schema_is_held_to() -> None:
    schema = {
        "type": "object",
        "properties": {"reply": {"type": "string"}, "category": {"enum": ["card", "loan"]}},
        "required": ["reply", "category"],
        "additionalProperties": False,
    }
    document = {"reply": FINE, "category": "weather"}
    said = BUILTIN["schema"](
        Draft(reply=FINE, document=document, schema=schema, message=MessageText(body="?")), {}
    )
    assert said == "category breaks the schema's enum rule"


def test_findings_hold_nothing_of_the_customers_words() -> None:
    secret, found = "the-planted-word", dict[str, str]()
    for name, options, _ in CASES:
        reply = (
            f"Dear [your name], write to {secret}@example.com, see https://{secret}.example. " * 3
        )
        said = BUILTIN[name](draft(reply, secret), options)
        found |= {name: said} if said is not None else {}
    # then: most of them object, for the reply has something of everything
    assert len(found) > len({name for name, *_ in CASES}) / 2
    assert [name for name, said in found.items() if secret in said] == []


def test_one_that_raises_or_is_missing_is_a_finding() -> None:
    def explodes(_draft: Draft, _options: Mapping[str, Any]) -> str | None:
        raise ValueError("with the customer's words in it")

    uses = (ValidatorUse("explodes"), ValidatorUse("absent", severity="warn"))
    found = findings_of(uses, draft(FINE), {"explodes": explodes})
    assert [(f.validator, f.severity, f.finding) for f in found] == [
        ("explodes", "reject", "the validator failed with ValueError"),
        ("absent", "warn", "this validator is not installed here"),
    ]


def test_a_validator_of_ones_own_is_loaded_bounded_and_used(tmp_path: Path) -> None:
    (tmp_path / "checks.py").write_text(
        "import time\n"
        "def no_shouting(draft, options):\n"
        "    letters = [c for c in draft.reply if c.isalpha()]\n"
        "    if sum(c.isupper() for c in letters) > 0.3 * len(letters):\n"
        "        return 'the reply is mostly capitals'\n"
        "def slow(draft, options):\n"
        "    time.sleep(0.6)\n"
    )
    settings = Settings(
        validators={
            "no_shouting": f"{tmp_path}/checks.py:no_shouting",
            "slow": f"{tmp_path}/checks.py:slow",
        }
    )
    found = load_validators(settings)
    assert found["no_shouting"](draft(FINE), {}) is None
    assert found["no_shouting"](draft(FINE.upper()), {}) == "the reply is mostly capitals"
    assert found["slow"](draft(FINE), {}) == "the validator took longer than 0.25 s"


def test_schema_checks_the_document_that_was_asked_for() -> None:
    document = json.loads('{"reply": "x", "extra": 1}')
    said = BUILTIN["schema"](
        Draft(
            reply="x", document=document, schema=INLINE_ANSWER_SCHEMA, message=MessageText(body="?")
        ),
        {},
    )
    assert said is not None


@given(st.from_regex(builtin._PLACEHOLDER))
def test_every_placeholder_is_looked_at(slot: str) -> None:
    assert (
        BUILTIN["placeholder"](
            Draft(reply=slot, document={}, schema={}, message=MessageText(body="?")), {}
        )
        is not None
    )


plain = st.none() | st.booleans() | st.integers(-9, 9) | st.floats(allow_nan=False) | st.text()
kinds = st.sampled_from(["string", "number", "integer", "boolean", "null", "object"])
wanted = st.builds(dict, type=kinds) | st.just({"type": "string", "minLength": 1}) | st.just({})


@given(
    st.dictionaries(st.sampled_from("abc"), wanted),
    st.lists(st.sampled_from("abcd"), unique=True),
    st.booleans(),
    st.dictionaries(st.sampled_from("abcd"), plain),
)
def test_the_look_at_flat_schemas_agrees_with_the_whole_one(
    properties: dict[str, Any], required: list[str], more: bool, document: dict[str, Any]
) -> None:
    asked = {"type": "object", "properties": properties, "required": required}
    asked["additionalProperties"] = more
    said = BUILTIN["schema"](
        Draft(reply="x", document=document, schema=asked, message=MessageText(body="?")), {}
    )
    assert (said is None) is Draft202012Validator(asked).is_valid(document)
