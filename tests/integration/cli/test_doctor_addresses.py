"""`rung doctor` on names of the configuration that lead where they may not."""

import socket
from typing import Any

import pytest

from tests.support.cli import say

pytestmark = pytest.mark.usefixtures("configured")
SETTINGS = {
    "RUNG_LOOKUPS__ORDERS__URL": "https://shop.example/{customer_id}",
    "RUNG_LOOKUPS__ORDERS__HOSTS": '["shop.example"]',
    "RUNG_DELIVER__DESK__URL": "https://desk.example/s3cret",
    "RUNG_NOTIFY__URL": "https://chat.example/s3cret",
}


def test_a_name_that_leads_to_a_machine_within_is_said_before_anything_runs(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    # given names that lead within, one of which may
    for name, value in SETTINGS.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setenv("RUNG_NOTIFY__ALLOW_PRIVATE", "true")
    resolve = socket.getaddrinfo

    def turned(host: str, *rest: Any, **more: Any) -> list[Any]:
        return resolve("10.0.0.4" if host.endswith(".example") else host, *rest, **more)

    monkeypatch.setattr(socket, "getaddrinfo", turned)
    # when
    said = say("doctor", "--json")
    # then
    words = [one["words"] for one in said.document if one["name"] == "addresses"]
    why = "leads to 10.0.0.4, which is no public address, and allow_private is not set"
    assert words == [
        f"{table}.url {why}; {table}.allow_private = true if that is meant."
        for table in ("lookups.orders", "deliver.desk")
    ]
    assert said.code != 0
    assert "s3cret" not in said.out
