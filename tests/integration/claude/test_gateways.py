"""Gateways and clouds that are set up wrong: on the wire, and in what `rung doctor` says."""

import asyncio
from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from tests.integration.claude.test_doors import settings, small
from tests.integration.lanes.upkeep.test_receivers import speaking
from tests.support.both_ways import at
from worker.claude.client import Claude
from worker.cli.diagnosis import Symptom
from worker.cli.diagnosis.claude import examine
from worker.config.settings import Settings
from worker.domain.answers import Troubled
from worker.domain.trouble import Meaning, Trouble
from worker.errors import ConfigurationError

PAGE = b"HTTP/1.1 200 OK\r\ncontent-type: text/html\r\ncontent-length: 7\r\n\r\nSign in"
ELSEWHERE = b"HTTP/1.1 307 Moved\r\nlocation: http://127.0.0.1:1/\r\ncontent-length: 0\r\n\r\n"


def troubled(url: str, *, lean: bool) -> Trouble:
    """What one call came to."""

    async def go() -> Any:
        claude = Claude(at(url), connect_s=5, deadline_s=10, lean=lean)
        try:
            return await claude.ask(small("claude-haiku-5-5"))
        finally:
            await claude.close()

    got = asyncio.run(go())
    assert isinstance(got, Troubled)
    return got.trouble


def looked_at(url: str, **more: Any) -> Symptom:
    """What doctor says of Claude."""
    given = {"anthropic_base_url": url, "anthropic_api_key": "sk-t", **more}
    (found,) = examine(Settings.model_validate(given))
    return found


@pytest.mark.parametrize("lean", [True, False])
def test_no_redirect_is_followed_with_the_key_and_what_a_customer_wrote(lean: bool) -> None:
    with speaking(ELSEWHERE) as url:
        got = troubled(url, lean=lean)
    assert (got.meaning, got.label) == (Meaning.CONFIGURATION, "307 redirect")
    assert not got.may_be_billed


@pytest.mark.parametrize("lean", [True, False])
def test_a_page_is_no_answer(lean: bool) -> None:
    with speaking(PAGE) as url:
        got = troubled(url, lean=lean)
    assert got.kind == "unreadable answer (JSONDecodeError)"
    assert "ANTHROPIC_BASE_URL" in got.words


@pytest.mark.parametrize(("said", "code"), [(PAGE, 5), (ELSEWHERE, 6)])
def test_doctor_does_not_take_a_page_for_claude(said: bytes, code: int) -> None:
    with speaking(said) as url:
        found = looked_at(url)
    assert (found.ok, found.exit_code) == (False, code)
    assert "ANTHROPIC_BASE_URL" in str(found.mend)


def test_doctor_knows_addresses_as_other_clients_want_them() -> None:
    with speaking(PAGE) as url:
        assert looked_at(f"{url}v1/").mend == "leave /v1 out of ANTHROPIC_BASE_URL: it is added"


def test_doctor_says_where_nobody_answers() -> None:
    found = looked_at("http://127.0.0.1:1")
    assert found.words == "http://127.0.0.1:1: not connected: Claude could not be reached"
    assert found.exit_code == 5


@pytest.mark.parametrize("status", [401, 403])
def test_doctor_says_whose_key_it_is(status: int) -> None:
    with speaking(b"HTTP/1.1 %d No\r\ncontent-length: 0\r\n\r\n" % status) as url:
        found = looked_at(url)
    assert (found.mend, found.exit_code) == ("check ANTHROPIC_API_KEY", 6)


@pytest.mark.parametrize("via", ["bedrock", "vertex"])
def test_doctor_asks_for_a_cloud_s_credentials(
    via: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # given a machine that has none
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_PROFILE"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(tmp_path / "none"))
    monkeypatch.setenv("GOOGLE_APPLICATION_CREDENTIALS", str(tmp_path / "none.json"))
    claude = {"via": via, "region": "eu-north-1", "project": "acme"}
    # when
    missing = looked_at("http://127.0.0.1:1", claude=claude)
    # then
    assert (missing.ok, missing.exit_code) == (False, 6)
    assert missing.words.startswith(f"{via}: no credentials")
    # and one that has some is not asked more, for that would cost
    if via == "bedrock":
        monkeypatch.setenv("AWS_ACCESS_KEY_ID", "AKIAEXAMPLE")
        monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "not-a-secret")
        assert looked_at("http://127.0.0.1:1", claude=claude).ok is None


def test_doctor_asks_for_what_a_door_needs() -> None:
    with pytest.raises(ConfigurationError, match="region or project"):
        looked_at("http://127.0.0.1:1", claude={"via": "vertex"})


@pytest.mark.parametrize("url", ["gateway:8080", "ftp://gateway", "//gateway"])
def test_an_address_of_another_kind_is_refused_before_anything_is_sent(url: str) -> None:
    """It would be met as a connection that was lost, which may have been paid for."""
    with pytest.raises(ValidationError, match="must begin with https://"):
        settings(url)


@pytest.mark.parametrize(("given", "kept"), [("", None), (" http://g \n", "http://g")])
def test_what_compose_leaves_empty_is_not_set(given: str, kept: str | None) -> None:
    assert settings(given).anthropic_base_url == kept
