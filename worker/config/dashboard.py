"""Settings of the dashboard: where it listens, who may come in, and how much it takes."""

import ipaddress
import re
from typing import Annotated, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, SecretStr, model_validator

Role = Literal["viewer", "operator"]
NAME = re.compile(r"[\w.@+-]{1,64}")
PASSWORD_HASH = re.compile(
    r"scrypt(:\d+){3}(:[\w-]+){2}"
    r"|\$?argon2id(?P<by>[:$])v=19(?P=by)m=\d{1,6},t=\d{1,2},p=\d{1,2}((?P=by)[A-Za-z0-9+/]+){2}"
)
SHA256 = re.compile(r"[0-9a-f]{64}")
MIN_SECRET = 32


class Part(BaseModel):
    """A table of `[dashboard]`: frozen, and an unknown key in it is an error."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class UserSettings(Part):
    """A person who signs in with a password."""

    password: SecretStr
    """What `rung dashboard hash` printed; never the password itself."""
    role: Role = "viewer"


class TokenSettings(Part):
    """A program that calls the HTTP API with `Authorization: Bearer`."""

    sha256: SecretStr
    """What `rung dashboard token` printed; never the token itself."""
    role: Role = "viewer"


class DashboardSettings(Part):
    """The dashboard, its HTTP API and metrics."""

    host: str = "127.0.0.1"
    """Address to listen on; any other than loopback needs credentials."""
    port: Annotated[int, Field(ge=0, le=65_535)] = 8420
    """0 takes any free port."""
    users: dict[str, UserSettings] = Field(default_factory=dict)
    """People, by name: `[dashboard.users.ada]` with `password` and `role`."""
    tokens: dict[str, TokenSettings] = Field(default_factory=dict)
    """Programs, by name: `[dashboard.tokens.helpdesk]` with `sha256` and `role`."""
    token: SecretStr | None = None
    """Where neither `users` nor `proxy_user_header` say who may come in: what a browser must bring
    in the address, and a program as bearer token, 32 characters or more. None makes one at each
    start, and prints it in the address."""
    secret: SecretStr | None = None
    """Signs sessions, 32 characters or more; None makes one at each start, so a restart signs
    everybody out. Copies behind one address need the same."""
    session_hours: Annotated[float, Field(gt=0, le=720)] = 12
    """After this long a person signs in again."""
    trusted_proxies: tuple[str, ...] = ()
    """Addresses or networks whose `X-Forwarded-For`, and `proxy_user_header`, are believed."""
    proxy_user_header: str | None = None
    """The header in which a trusted proxy that signs people in names them, such as
    `X-Forwarded-User`. Absent: nobody comes in so. Whoever else reaches the dashboard from the
    proxy's address may write it too: on loopback, every user of the machine."""
    proxy_role: Role | None = None
    """Role of proxied people who are not in `users`; None lets only those of `users` in."""
    hosts: tuple[str, ...] = ()
    """Host names under which it may be called; none means any, except on loopback."""
    https: bool = False
    """It is reached over HTTPS (a proxy ends it): cookies are sent over nothing else."""
    metrics_token: SecretStr | None = None
    """Bearer token for `/metrics`; without one, whoever may see the pages may read it."""
    health_token: SecretStr | None = None
    """Bearer token for `/healthz`; without one it is open, and says nothing but ok or not."""
    upload_mb: Annotated[int, Field(ge=1, le=4_096)] = 64
    """Largest file that is submitted by HTTP or in the browser, unpacked too."""

    @property
    def credentials(self) -> bool:
        """Whether anybody at all could be told from a stranger."""
        return bool(self.users or self.tokens or self.proxy_user_header)

    @property
    def asks_for_token(self) -> bool:
        """Whether people come in by the token in the address, since nothing else says who they
        are. Programs' `tokens` stand beside it."""
        return not (self.users or self.proxy_user_header)

    @model_validator(mode="after")
    def usable(self) -> Self:
        """Names, hashes and networks, in sentences."""
        for name in (*self.users, *self.tokens):
            if not NAME.fullmatch(name):
                raise ValueError(f"{name!r} is not a name of letters, digits and . _ @ + -")
        for name, user in self.users.items():
            if not PASSWORD_HASH.fullmatch(user.password.get_secret_value()):
                raise ValueError(f"users.{name}.password is not a hash: run `rung dashboard hash`")
        for name, token in self.tokens.items():
            if not SHA256.fullmatch(token.sha256.get_secret_value()):
                raise ValueError(f"tokens.{name}.sha256 is no hash: run `rung dashboard token`")
        if self.proxy_user_header is not None and not self.trusted_proxies:
            raise ValueError("proxy_user_header is believed of nobody: name trusted_proxies")
        if self.proxy_role is not None and self.proxy_user_header is None:
            raise ValueError("proxy_role is given to nobody: name the proxy_user_header")
        for network in self.trusted_proxies:
            ipaddress.ip_network(network, strict=False)
        for name, secret in (("secret", self.secret), ("token", self.token)):
            if secret is not None and len(secret.get_secret_value()) < MIN_SECRET:
                raise ValueError(f"{name} is shorter than {MIN_SECRET} characters")
        return self
