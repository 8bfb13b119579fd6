"""Receives answers from Rung and puts each into the helpdesk as a private note: a draft that a
colleague sees, and the customer does not.

    pip install rung uvicorn
    export RUNG_WEBHOOK_SECRET=whsec_… HELPDESK_URL=https://acme.zendesk.com HELPDESK_TOKEN=…
    uvicorn --app-dir examples/deliver receiver:zendesk --port 9000

and in rung.toml, with the same secret:

    [deliver.helpdesk]
    url = "http://127.0.0.1:9000/"
    secret = "whsec_…"
"""

import os
from collections.abc import Mapping
from typing import Any

import httpx2
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

import rung
from rung.webhooks import verify

Sent = Mapping[str, Any]


def zendesk_note(url: str, token: str, answer: Sent) -> httpx2.Request:
    """`public: false` makes a comment an internal note (developer.zendesk.com, Tickets)."""
    ticket = {"ticket": {"comment": {"body": answer["send"], "public": False}}}
    path = f"{url}/api/v2/tickets/{answer['external_id']}.json"
    return httpx2.Request("PUT", path, json=ticket, headers={"Authorization": f"Bearer {token}"})


def freshdesk_note(url: str, token: str, answer: Sent) -> httpx2.Request:
    """Notes are private unless they say otherwise (developers.freshdesk.com, Conversations)."""
    note = {"body": answer["send"], "private": True}
    path = f"{url}/api/v2/tickets/{answer['external_id']}/notes"
    login = httpx2.BasicAuth(token, "X")
    return next(login.auth_flow(httpx2.Request("POST", path, json=note)))


def intercom_note(url: str, token: str, answer: Sent) -> httpx2.Request:
    """`message_type: note` is seen by teammates only (developers.intercom.com, Conversations)."""
    note = {
        "message_type": "note",
        "type": "admin",
        "admin_id": os.environ["HELPDESK_ADMIN"],
        "body": answer["send"],
    }
    path = f"{url}/conversations/{answer['external_id']}/reply"
    return httpx2.Request("POST", path, json=note, headers={"Authorization": f"Bearer {token}"})


def receiver(make_note: Any) -> Starlette:
    """An application that takes deliveries. A status other than 2xx makes Rung try again later, so
    what the helpdesk refuses for now is not lost."""
    helpdesk = httpx2.AsyncClient(timeout=8)
    seen = set[str]()

    async def take(request: Request) -> Response:
        try:
            event = verify(os.environ["RUNG_WEBHOOK_SECRET"], request.headers, await request.body())
        except rung.NotAllowed as error:
            return Response(str(error), 401)
        named, answer = request.headers["webhook-id"], event["data"]
        if named not in seen:
            note = make_note(os.environ["HELPDESK_URL"], os.environ["HELPDESK_TOKEN"], answer)
            said = await helpdesk.send(note)
            if not said.is_success:
                return Response("the helpdesk did not take it", 503)
            seen.add(named)
        return Response(status_code=204)

    return Starlette(routes=[Route("/", take, methods=["POST"])])


zendesk = receiver(zendesk_note)
freshdesk = receiver(freshdesk_note)
intercom = receiver(intercom_note)
