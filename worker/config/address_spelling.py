"""What goes wrong with any address of a server, in the same words for each."""

import re
from collections.abc import Container

from worker.errors import ConfigurationError

QUOTES = ("'", '"')
HIDDEN = "***"
SECRET = re.compile(r"([?&;][^=&;]*(?:pass|secret|token|key|sig|auth)[^=&;]*=)[^&;#]*", re.I)
"""An option that is named like one."""


def refuse_quotation(setting: str, address: str) -> None:
    """Raises ConfigurationError where quotation marks came along with an address."""
    if address.startswith(QUOTES):
        raise ConfigurationError(
            f"{setting} begins with a quotation mark, which is taken as a part of it.",
            mend="leave the quotation marks out, where you set it",
        )


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
