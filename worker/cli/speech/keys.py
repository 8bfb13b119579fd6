"""Single keys that a person presses, or that a program writes to standard input."""

import sys

import click


def pressed() -> str:
    """The next key on a terminal; otherwise the next character of standard input that is no space,
    and nothing at its end."""
    if sys.stdin.isatty():
        return click.getchar()
    while (character := sys.stdin.read(1)).isspace():
        pass
    return character
