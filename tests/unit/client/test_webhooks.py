"""Signatures of webhooks: the specification's own example, and what must not pass."""

import time

import pytest

import rung
from rung.webhooks import is_signed, key_of, signature, verify

SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
BODY = b'{"test": 2432232314}'
WEBHOOK, AT = "msg_p5jXN8AQM9LWM0D4loKWxJek", 1614265330
WANTED = "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="


def test_the_specifications_example_is_signed_as_it_says() -> None:
    assert signature(SECRET, WEBHOOK, AT, BODY) == WANTED


@pytest.mark.parametrize(
    ("signatures", "body", "now", "right"),
    [
        (WANTED, BODY, AT, True),
        (f"v1,old {WANTED}", BODY, AT + 299, True),
        (WANTED, BODY + b" ", AT, False),
        (WANTED, BODY, AT + 301, False),
        (WANTED, BODY, AT - 301, False),
        (WANTED[:-2], BODY, AT, False),
        ("", BODY, AT, False),
        ("v1,ü", BODY, AT, False),
    ],
)
def test_only_what_is_whole_and_recent_passes(
    signatures: str, body: bytes, now: float, right: bool
) -> None:
    assert is_signed(SECRET, WEBHOOK, AT, body, signatures, now) is right


def test_a_secret_is_base64_behind_its_prefix_or_any_text() -> None:
    assert key_of("whsec_c2VjcmV0") == b"secret"
    assert key_of("c2VjcmV0") == b"c2VjcmV0"
    with pytest.raises(ValueError, match="base64"):
        key_of("whsec_no base64")


def test_a_receiver_gets_the_document_of_what_is_signed_and_nothing_else() -> None:
    body, now = b'{"type": "answer.ready", "data": {"job": 7}}', int(time.time())
    headers = {
        "Webhook-Id": "7.1",
        "Webhook-Timestamp": str(now),
        "Webhook-Signature": signature(SECRET, "7.1", now, body),
    }
    assert verify(SECRET, headers, body)["data"] == {"job": 7}
    for changed in (
        {},
        headers | {"Webhook-Id": "7.2"},
        headers | {"Webhook-Timestamp": "soon"},
        headers | {"Webhook-Timestamp": str(now - 3_600)},
    ):
        with pytest.raises(rung.NotAllowed):
            verify(SECRET, changed, body)
    with pytest.raises(rung.NotAllowed):
        verify("whsec_b3RoZXI=", headers, body)
    with pytest.raises(AttributeError):
        rung.nothing_of_this_name  # noqa: B018
