"""Rows of helpdesks, and what of each is the customer's: `PRIVATE` is what only the team may read,
`AGENT` what the team wrote to the customer, `RATING` what was said of the service."""

from typing import Any

ASKED = "Where is my parcel?"
Row = dict[str, Any]


def said(body: str, **more: Any) -> Row:
    return {"body": body, **more}


def part(body: str, kind: str | None = "comment", who: str = "user", **more: Any) -> Row:
    """One part of a conversation of Intercom."""
    return {"body": body, "part_type": kind, "author": {"type": who, "id": 7}, **more}


def article(body: str, sender: str = "Customer", **more: Any) -> Row:
    """One of Zammad's."""
    return {"body": body, "sender": sender, "internal": False, **more}


AUTOMATIC = {"preferences": {"is-auto-response": True}}
NOT_THE_CUSTOMERS = (
    article("AGENT", "Agent"),
    article("PRIVATE", internal=True),
    article("AGENT", **AUTOMATIC),
)

MORE_CASES: dict[str, list[tuple[Row, str | None]]] = {
    "intercom's kinds": [
        (part(ASKED), ASKED),
        (part("AGENT", who="admin"), None),
        (part("PRIVATE", kind="note"), None),
        (part("RATING", kind="conversation_rating_remark_added"), None),
        (part("Deleted", redacted=True), None),
        ({"author": {"type": "user", "id": 7}, "body": "no part", "source": {}}, None),
    ],
    "front's kinds": [
        ({"is_inbound": True, "type": "call", "text": "3 min"}, None),
        (
            {
                "messages": [
                    {"is_inbound": True, "type": "email", "text": ASKED},
                    {"is_inbound": True, "type": "call", "text": "3 min"},
                ]
            },
            ASKED,
        ),
        ({"last_message": {"is_inbound": True, "type": "phone-call", "text": "3 min"}}, None),
    ],
    "gorgias's kinds": [
        ({"scored_datetime": "2026-11-24T08:15:00", "score": 5, "body_text": "RATING"}, None)
    ],
    "zammad": [
        *(({"articles": [one, article(ASKED)]}, ASKED) for one in NOT_THE_CUSTOMERS),
        *(({"ticket": {"id": 1}, "article": one}, None) for one in NOT_THE_CUSTOMERS),
        *((one, None) for one in NOT_THE_CUSTOMERS),
        ({"body": ASKED, "sender_id": 2, "internal": False}, ASKED),
        ({"body": "AGENT", "sender_id": 1, "internal": False}, None),
    ],
    "osticket": [
        (said(ASKED, type="M"), ASKED),
        (said("AGENT", type="R"), None),
        (said("PRIVATE", type="N"), None),
    ],
    "freescout": [
        (
            {
                "_embedded": {
                    "threads": [
                        said(ASKED, type="customer", state="published"),
                        said("LATER", type="customer", state="draft"),
                        said("AGENT", type="message", state="published"),
                    ]
                }
            },
            ASKED,
        ),
        (said("AGENT", type=2, state=2), None),
        (said("Deleted", type=1, state=3), None),
        (said(ASKED, type=1, state=2), ASKED),
        ({"createdBy": {"type": "user"}, "preview": "AGENT"}, None),
        ({"preview": "PRIVATE", "_embedded": {"threads": [said("PRIVATE", type="note")]}}, None),
    ],
    "hubspot": [
        ({"direction": "INCOMING", "type": "MESSAGE", "text": ASKED}, ASKED),
        ({"direction": "OUTGOING", "type": "MESSAGE", "text": "AGENT"}, None),
        ({"type": "COMMENT", "text": "PRIVATE"}, None),
    ],
    "zoho": [
        (
            {
                "threads": [
                    {"direction": "in", "content": ASKED},
                    {"direction": "out", "content": "A"},
                ]
            },
            ASKED,
        ),
        (
            {
                "threads": [
                    {"direction": "in", "content": ASKED},
                    {"direction": "in", "visibility": "private", "content": "PRIVATE"},
                ]
            },
            ASKED,
        ),
        ({"direction": "out", "content": "AGENT"}, None),
        ({"direction": "in", "visibility": "private", "content": "PRIVATE"}, None),
    ],
    "crisp": [
        ({"from": "operator", "type": "text", "fingerprint": 7, "content": "AGENT"}, None),
        ({"from": "user", "type": "note", "fingerprint": 8, "content": "PRIVATE"}, None),
    ],
}
