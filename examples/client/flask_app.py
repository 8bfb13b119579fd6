"""A contact form in Flask: the message is submitted at once, its answer comes by webhook.

Run with `flask --app flask_app run`, with RUNG_URL, RUNG_TOKEN and SITE_SECRET set;
`[deliver.site]` in rung.toml posts answers to /answers.
"""

import os
import uuid

import flask

import rung
from rung import webhooks

app = flask.Flask(__name__)
client = rung.Client(os.environ["RUNG_URL"], os.environ["RUNG_TOKEN"])


@app.post("/contact")
def contact() -> tuple[str, int]:
    """Takes a message: accepted means that it is stored."""
    form = flask.request.form
    message = {"external_id": str(uuid.uuid4()), "body": form["body"], "customer_id": form["email"]}
    try:
        client.enqueue([message], run="contact form", key="contact form", lane="realtime")
    except rung.CannotReach:
        return "Please try again in a minute.", 503
    return "Thank you. We answer by mail.", 202


@app.post("/answers")
def answers() -> tuple[str, int]:
    """Takes an answer that may go out, signed by Rung."""
    try:
        event = webhooks.verify(
            os.environ["SITE_SECRET"], flask.request.headers, flask.request.get_data()
        )
    except rung.NotAllowed:
        return "", 401
    send_mail(event["data"]["customer_id"], event["data"]["send"])
    return "", 204


def send_mail(to: str, text: str) -> None:
    """Yours; `webhook-id` names a repeated delivery."""
