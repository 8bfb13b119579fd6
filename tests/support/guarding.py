"""A guarded dashboard: people, a program, and tokens for metrics and health."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import httpx2
from sqlalchemy import Engine

from tests.support.promises import one
from tests.support.web import dashboard
from tests.support.works import settings_for
from worker.dashboard.access.passwords import hash_password, hash_token

HASHES = {"ada": hash_password("enchantress of numbers"), "bob": hash_password("viewer's word")}
TOKEN, METRICS, HEALTH = "rung_a-token-for-tests", "metrics-token", "health-token"
USERS = {
    "ada": {"password": HASHES["ada"], "role": "operator"},
    "bob": {"password": HASHES["bob"], "role": "viewer"},
}
PAUSE = {"action": "pause", "tier": "opus", "reason": "a test"}


@contextmanager
def serving(database_url: str, **configured: Any) -> Iterator[str]:
    """A dashboard with these settings of its own."""
    settings = settings_for(database_url, "http://127.0.0.1:1", dashboard=configured)
    with dashboard(settings) as url:
        yield url


@contextmanager
def guarding(database_url: str) -> Iterator[str]:
    """One that knows Ada, who operates, Bob, who looks, and a helpdesk's program."""
    tokens = {"helpdesk": {"sha256": hash_token(TOKEN), "role": "operator"}}
    with serving(
        database_url, users=USERS, tokens=tokens, metrics_token=METRICS, health_token=HEALTH
    ) as url:
        yield url


def sign_in(client: httpx2.Client, name: str, password: str, **more: str) -> httpx2.Response:
    """Posts the form."""
    return client.post("/login", data={"name": name, "password": password, **more})


def csrf_of(client: httpx2.Client) -> str:
    """The token that must come with this person's changes."""
    token: str = client.get("/api/session").json()["csrf_token"]
    return token


def paused(engine: Engine) -> int:
    """How many queues are paused."""
    return int(one(engine, "SELECT count(*) FROM tiers WHERE paused")[0])
