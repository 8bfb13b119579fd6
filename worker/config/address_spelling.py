"""What goes wrong with any address of a server, in the same words for each."""

import re
from collections.abc import Container
from ipaddress import IPv6Address
from urllib.parse import urlsplit

from worker.errors import ConfigurationError

QUOTES = ("'", '"')
HIDDEN = "***"
SECRET = re.compile(
    r"([?&;][^=&;]*(?:pass|pwd|secret|token|key|sig|auth|cred|code|jwt)[^=&;]*=)[^&;#]*", re.I
)
"""An option that is named like one."""


def refuse_quotation(setting: str, address: str) -> None:
    """Raises ConfigurationError where quotation marks came along with an address."""
    if address.startswith(QUOTES):
        raise ConfigurationError(
            f"{setting} begins with a quotation mark, which is taken as a part of it.",
            mend="leave the quotation marks out, where you set it",
        )


NO_HOST = "names a host that cannot be (two dots in a row, a part above 63 characters, a blank)"


def is_host(name: str) -> bool:
    """Whether a resolver could be asked for it. Python's would answer with an error of its own
    where a part is empty or too long."""
    try:
        if ":" in name:
            return bool(IPv6Address(name))
        return bool(name.encode("idna")) and name.isprintable() and " " not in name
    except ValueError:
        return False


def refuse_no_web_host(setting: str, url: str) -> None:
    """Raises ValueError, in words that do not hold the address, unless it leads to a host."""
    try:
        parts = urlsplit(url)
        host, _ = parts.hostname, parts.port
    except ValueError:
        raise ValueError(f"{setting}: its host or port cannot be read") from None
    if not host or not is_host(host):
        raise ValueError(f"{setting} {NO_HOST if host else 'names no host'}")


def option_called(name: str, options: Container[str]) -> str:
    """How an unknown option of an address is named: behind a password with a & in it, what looks
    like an option is the rest of it."""
    return "an option" if "password" in options else f"the option {name[:40]!r}"


def shown(address: str) -> str:
    """An address for people: who signs in there, and whatever option is named like a secret, is
    hidden, and nothing of it has to be readable otherwise."""
    scheme, separator, rest = address.partition("://")
    before, at, place = rest.rpartition("@")
    user = before.partition(":")[0] if before.count("@") == 0 and ":" in before else ""
    who = f"{user}:{HIDDEN}@" if user else f"{HIDDEN}@" * bool(at)
    return SECRET.sub(rf"\1{HIDDEN}", f"{scheme}{separator}{who}{place}")
