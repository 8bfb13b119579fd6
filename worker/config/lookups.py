"""The tables `[lookups.NAME]`: where the facts about one customer are asked for.

A look-up is a function of one's own (`path`, or the entry point group `rung.lookups`), a query
(`database_url` and `query`), or an address (`url`).
"""

import re
from collections.abc import Awaitable, Callable, Iterable, Iterator, Mapping, Sequence
from importlib.metadata import entry_points
from pathlib import Path
from typing import Annotated, Any, Literal, Self
from urllib.parse import urlsplit

from pydantic import Field, SecretStr, field_validator, model_validator

from worker.config.address_spelling import is_host
from worker.config.own_code import installed, load, names_beside, require_async
from worker.config.sections import Positive, Section
from worker.domain.places import HOME
from worker.domain.wording import did_you_mean
from worker.errors import ConfigurationError

GROUP = "rung.lookups"
SQLITE = "sqlite:///"
DATABASES = ("postgresql://", "postgres://", SQLITE)
BOUND = re.compile(r"(?<![:\w]):([A-Za-z_]\w*)")
CAST = re.compile(r"(?<![:\w]):\w+::")
PLACE = re.compile(r"\{(\w+)\}")
OwnLookup = Callable[[Sequence[Any], Mapping[str, Any]], Awaitable[Sequence[Any]]]


class LookupSettings(Section):
    """What is asked about each message before the model is, and within which bounds."""

    path: str | None = None
    """A function of one's own: `FILE.py:FUNCTION` or `MODULE:FUNCTION`."""
    database_url: SecretStr | None = None
    """Postgres or SQLite, read only; best by `RUNG_LOOKUPS__NAME__DATABASE_URL`."""
    query: str | None = None
    """Asked of `database_url`; `:customer_id` stands for that of the row, as does any column."""
    url: str | None = None
    """An address that answers in JSON; `{customer_id}` stands for that of the row."""
    hosts: tuple[str, ...] = ()
    """The only hosts that `url` may lead to."""
    allow_private: bool = False
    """Whether the name of that host may lead to a private address, as those of inner systems do."""
    secret: SecretStr | None = None
    """Sent to `url` as `Authorization: Bearer`; best by `RUNG_LOOKUPS__NAME__SECRET`."""
    match: tuple[str, ...] = ("customer_id",)
    """Columns that every record must have as its row has them: nobody is shown another's data."""
    on_failure: Literal["wait", "without", "person"] = "wait"
    """`wait` and ask again, go on `without` and tell the model so, or leave it to a `person`."""
    timeout_s: Annotated[float, Field(gt=0, le=60)] = 5
    """For a whole chunk of messages; of an address, for each."""
    cache_s: Annotated[float, Field(ge=0)] = 60
    """How long what was found is used again, in each worker process."""
    max_in_flight: Positive = 4
    """Calls at a time, in each worker process."""
    max_records: Positive = 20
    """For one message; more than these are refused."""
    max_bytes: Positive = 4_000
    """Of what is shown of one message; more is refused."""
    options: dict[str, Any] = Field(default_factory=dict)
    """Handed to the function as they are."""

    @field_validator("database_url")
    @classmethod
    def is_a_database(cls, url: SecretStr | None) -> SecretStr | None:
        """Not repeated, for it may hold a password."""
        if url is not None and not url.get_secret_value().startswith(DATABASES):
            raise ValueError("it must begin with postgresql:// or sqlite:///")
        return url

    @field_validator("secret")
    @classmethod
    def can_be_sent(cls, secret: SecretStr | None) -> SecretStr | None:
        """As a header; not repeated either."""
        if secret is not None and not re.fullmatch(r"[!-~]+", secret.get_secret_value()):
            raise ValueError("it is empty, or holds what a header cannot: spaces, line breaks, ü")
        return secret

    @model_validator(mode="after")
    def is_one_of_three(self) -> Self:
        """A function, a query or an address, and whole."""
        kinds = [self.path, self.database_url or self.query, self.url]
        if sum(kind is not None for kind in kinds) > 1:
            raise ValueError("give one of path, database_url with query, and url")
        if (self.database_url is None) != (self.query is None):
            raise ValueError("database_url and query go together")
        if self.query is not None and not self.columns:
            raise ValueError("its query names no column of the row (:customer_id, for example)")
        if self.query is not None and CAST.search(self.query):
            raise ValueError("its query casts a column with ::; write CAST(:column AS type)")
        if self.url is not None:
            self._checked_address(self.url)
        self._require_use()
        return self

    def _require_use(self) -> None:
        """A setting that does nothing is worse than none: a secret that is not sent, for one."""
        for name, given in (
            ("secret", self.secret),
            ("hosts", self.hosts),
            ("allow_private", self.allow_private),
        ):
            if given and (self.path or self.query):
                raise ValueError(f"its {name} would not be used: only a look-up with url asks one")
        if self.options and (self.url is not None or self.query is not None):
            raise ValueError("its options would not be used: only a function is given them")

    def _checked_address(self, url: str) -> None:
        try:
            parts = urlsplit(url)
            host = parts.hostname or ""
        except ValueError:
            raise ValueError("its url is no web address") from None
        if "{" in parts.netloc or not is_host(host):
            raise ValueError("its url must name its host, without {…}")
        if parts.scheme != "https" and not (parts.scheme == "http" and host in HOME):
            raise ValueError("its url must begin with https://")
        if host not in self.hosts:
            raise ValueError(f"its url leads to {host}, which is not in hosts")
        if not self.columns:
            raise ValueError("its url names no column of the row ({customer_id}, for example)")

    @property
    def sqlite_file(self) -> Path | None:
        """The file that is asked; None where that is a server, or nothing of the kind."""
        url = self.database_url.get_secret_value() if self.database_url is not None else ""
        return Path(url.removeprefix(SQLITE).partition("?")[0]) if url.startswith(SQLITE) else None

    @property
    def columns(self) -> tuple[str, ...]:
        """Columns of the row that the query or the address is made with."""
        found = BOUND.findall(self.query) if self.query else PLACE.findall(self.url or "")
        return tuple(dict.fromkeys(found))


def lookup_names(lookups: Iterable[str]) -> set[str]:
    """Every look-up that a policy can name."""
    return {*lookups, *(entry.name for entry in entry_points(group=GROUP))}


def own_lookups(lookups: Mapping[str, LookupSettings]) -> dict[str, OwnLookup]:
    """The functions behind look-ups. Raises ConfigurationError for one that cannot be loaded."""
    found = {e.name: installed(f"lookups.{e.name}", e) for e in entry_points(group=GROUP)}
    for name, one in lookups.items():
        if one.path is not None:
            found[name] = load(f"lookups.{name}.path", one.path)
        elif one.query is None and one.url is None and name not in found:
            others = [other for other in lookups if other != name]
            raise ConfigurationError(
                f"lookups.{name} says nowhere to look: give it path, database_url with query, or"
                f" url{did_you_mean(name, others)}"
            )
    for name, function in found.items():
        require_async(f"lookups.{name}", function)
    return found


def missing_databases(lookups: Mapping[str, LookupSettings]) -> Iterator[str]:
    """Those in a SQLite file that is not there: each question would fail, and its message wait."""
    for name, one in lookups.items():
        path = one.sqlite_file
        if path is not None and not path.is_file():
            yield (
                f"lookups.{name}.database_url names {path}, and there is no such file"
                f"{did_you_mean(path.name, names_beside(path))}"
            )


def columns_asked(
    lookups: Mapping[str, LookupSettings], names: Iterable[str]
) -> dict[str, tuple[str, ...]]:
    """Columns of a row without which each of these finds nothing."""
    return {
        name: tuple(dict.fromkeys((*lookups[name].columns, *lookups[name].match)))
        for name in names
        if name in lookups
    }
