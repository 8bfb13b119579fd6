"""The tables of `rung.toml` about what comes in and what goes out: intake, notices, deliveries."""

import re
from typing import Annotated, Literal, Self
from urllib.parse import urlsplit

from pydantic import Field, SecretStr, field_validator, model_validator

from rung.webhooks import key_of
from worker.config.address_spelling import refuse_no_web_host
from worker.config.sections import Section

MAIL_ADDRESS = re.compile(r"[^\s@<>,;:\"]{1,64}@[^\s@<>,;:\"]{1,255}")


def web_address(url: SecretStr) -> SecretStr:
    """The address. Raises ValueError for anything else."""
    if not url.get_secret_value().startswith(("https://", "http://")):
        raise ValueError("it must begin with https:// or http://")
    refuse_no_web_host("it", url.get_secret_value())
    return url


def mail_address(address: str) -> str:
    """The address. Raises ValueError for what is none, or more than one."""
    if not MAIL_ADDRESS.fullmatch(address):
        raise ValueError(f"{address!r} is no mail address, such as lead@example.com")
    return address


class DeliverSettings(Section):
    """A webhook that hears of every answer that may go out, as soon as it may."""

    url: SecretStr
    """Where it is posted; `http://` or `https://`."""
    secret: SecretStr | None = None
    """Signs each post as Standard Webhooks describes: `whsec_` and base64, or any text."""
    allow_private: bool = False
    """Whether the name in `url` may lead to a private address, as those of inner systems do."""
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
    risk, a night that failed; and of a run's end. By webhook, by mail, or both, with no message
    text in it."""

    url: SecretStr | None = None
    """Where it is posted. It may hold a secret: better by RUNG_NOTIFY__URL."""
    allow_private: bool = False
    """Whether the name in `url` may lead to a private address, as those of inner systems do."""
    format: Literal["auto", "json", "slack"] = "auto"
    """All of it as JSON, or the text alone as Slack takes it; `auto` knows Slack's address."""
    finished: bool = True
    """Whether the end of every run is told; those with `--notify` are told of always."""
    email_to: list[str] = Field(default_factory=list)
    """Who gets a mail of each notice; needs `smtp_host`."""
    email_from: str = "rung@localhost"
    smtp_host: str | None = None
    """The mail server. With it `rung enqueue --notify ADDRESS` works."""
    smtp_port: Annotated[int, Field(ge=1, le=65535)] = 587
    smtp_tls: Literal["starttls", "tls", "none"] = "starttls"
    smtp_user: str | None = None
    smtp_password: SecretStr | None = None
    """Better by RUNG_NOTIFY__SMTP_PASSWORD."""

    @property
    def posts_text_alone(self) -> bool:
        """Whether the webhook is one of Slack's."""
        if self.format != "auto" or self.url is None:
            return self.format == "slack"
        return urlsplit(self.url.get_secret_value()).hostname == "hooks.slack.com"

    @field_validator("email_to")
    @classmethod
    def are_mail_addresses(cls, addresses: list[str]) -> list[str]:
        """Each by itself, so that none can add another header or recipient."""
        return [mail_address(address) for address in addresses]

    @field_validator("email_from")
    @classmethod
    def is_a_mail_address(cls, address: str) -> str:
        """As the recipients."""
        return mail_address(address)

    @model_validator(mode="after")
    def can_be_mailed(self) -> Self:
        """Recipients need a server."""
        if self.email_to and self.smtp_host is None:
            raise ValueError("email_to needs smtp_host")
        return self

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
