"""The tables of `rung.toml` about what comes in and what goes out: intake, notices, deliveries."""

from typing import Annotated

from pydantic import Field, SecretStr, field_validator

from rung.webhooks import key_of
from worker.config.sections import Section


def web_address(url: SecretStr) -> SecretStr:
    """The address. Raises ValueError for anything else."""
    if not url.get_secret_value().startswith(("https://", "http://")):
        raise ValueError("it must begin with https:// or http://")
    return url


class DeliverSettings(Section):
    """A webhook that hears of every answer that may go out, as soon as it may."""

    url: SecretStr
    """Where it is posted; `http://` or `https://`."""
    secret: SecretStr | None = None
    """Signs each post as Standard Webhooks describes: `whsec_` and base64, or any text."""
    simulated: bool = False
    """Whether answers of the simulator are posted too, which nobody should send on."""
    timeout_s: Annotated[float, Field(gt=0, le=60)] = 10
    """A receiver that takes longer is tried again later."""

    @field_validator("url")
    @classmethod
    def is_an_address(cls, url: SecretStr) -> SecretStr:
        """Nothing but a web address; it is not repeated, for it may hold a secret."""
        return web_address(url)

    @field_validator("secret")
    @classmethod
    def is_a_key(cls, secret: SecretStr | None) -> SecretStr | None:
        """Base64 behind `whsec_`; not repeated either."""
        if secret is not None and not key_of(secret.get_secret_value()):
            raise ValueError("it is empty")
        return secret


class NotifySettings(Section):
    """Where people are told of trouble: a pause by trouble, a breaker, a budget, a deadline at
    risk, a night that failed. JSON by POST, with no message text in it."""

    url: SecretStr | None = None

    @field_validator("url")
    @classmethod
    def is_a_web_address(cls, url: SecretStr | None) -> SecretStr | None:
        """Nothing but a web address; it is not repeated, for it may hold a secret."""
        return None if url is None else web_address(url)


class ColumnMapSettings(Section):
    """Where our fields stand in the files of one helpdesk: `--map NAME` uses it. Each is a column's
    name, or a path into it (`source.body`), with `|` for the first that holds something and `+` for
    several together."""

    external_id: str | None = None
    body: str | None = None
    subject: str | None = None
    customer_id: str | None = None
    channel: str | None = None
    language: str | None = None
    source: str | None = None
    received_at: str | None = None

    @property
    def columns(self) -> dict[str, str]:
        """Those that are set."""
        return {name: place for name, place in self if place is not None}


class IntakeSettings(Section):
    """How backlogs are read."""

    maps: dict[str, ColumnMapSettings] = Field(default_factory=dict)
    """Maps of columns of one's own, by name; `rung map save NAME` writes one."""
