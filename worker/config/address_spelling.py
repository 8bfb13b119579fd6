"""What goes wrong with any address of a server, in the same words for each."""

from collections.abc import Container

from worker.errors import ConfigurationError

QUOTES = ("'", '"')


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
