"""Each validator finds what it is for, and nothing else."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from worker.domain.messages import MessageText
from worker.domain.policy import ValidatorUse
from worker.domain.schemas import INLINE_ANSWER_SCHEMA
from worker.domain.validation import BUILTIN, Draft, findings_of
from worker.settings import Settings
from worker.validators import load_validators

FINE = "Your card was sent on Monday and arrives within five working days. You can follow it."
INSTRUCTIONS = (
    "You answer customers of Harbourlight and you never promise a refund of any amount to anyone."
)


def draft(reply: str, message: str = "Where is my card? It was due on Monday.") -> Draft:
    document = {"reply": reply, "grounds": "known", "confidence": 0.9}
    return Draft(reply, document, INLINE_ANSWER_SCHEMA, MessageText(message), INSTRUCTIONS)


CASES: list[tuple[str, Mapping[str, Any], str]] = [
    ("placeholder", {}, "Dear [customer name], your card is on its way to you."),
    ("placeholder", {}, "Dear {{name}}, your card is on its way to you."),
    ("length", {}, "Yes."),
    ("length", {"max_chars": 50}, FINE),
    ("must_match", {"patterns": ["Harbourlight"]}, FINE),
    ("must_not_match", {"patterns": [r"(?i)working days"]}, FINE),
    ("promises", {}, "We will refund you $25.00 by tomorrow, and that is certain."),
    ("promises", {}, "Honestly, you should sue them: you have a strong legal case here."),
    ("personal_data", {}, "We have written to jane.doe@example.com about it, as you asked."),
    ("personal_data", {}, "Your card 4111 1111 1111 1111 is on its way to you now."),
    ("personal_data", {}, "Use sk-ant-api03-abcdefghijklmnop to sign in to the service."),
    ("links", {"allow": ["harbourlight.example"]}, "See https://evil.example/pay for details."),
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


def test_the_users_own_schema_is_held_to() -> None:
    schema = {
        "type": "object",
        "properties": {"reply": {"type": "string"}, "category": {"enum": ["card", "loan"]}},
        "required": ["reply", "category"],
        "additionalProperties": False,
    }
    document = {"reply": FINE, "category": "weather"}
    said = BUILTIN["schema"](Draft(FINE, document, schema, MessageText("?")), {})
    assert said == "category breaks the schema's enum rule"


def test_findings_hold_nothing_of_the_customers_words() -> None:
    secret = "the-planted-word"
    for name, options, _ in CASES:
        reply = (
            f"Dear [your name], write to {secret}@example.com, see https://{secret}.example. " * 3
        )
        said = BUILTIN[name](draft(reply, secret), options)
        assert secret not in (said or "")


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
    said = BUILTIN["schema"](Draft("x", document, INLINE_ANSWER_SCHEMA, MessageText("?")), {})
    assert said is not None
