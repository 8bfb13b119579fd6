"""`rung dashboard hash` and `rung dashboard token`: what goes into `[dashboard]` for a person, and
for a program."""

import sys

import click

from worker.cli.speech.options import JSON
from worker.cli.speech.output import print_json, talk
from worker.errors import UsageError

MIN_PASSWORD = 8


@click.command("hash", short_help="Hash a password for [dashboard.users.NAME].")
def hash_() -> None:
    """Hash a password for [dashboard.users.NAME]; asks for it, or reads a line of stdin."""
    from worker.dashboard.access.passwords import MAX_PASSWORD, hash_password

    if sys.stdin.isatty():
        password = click.prompt("Password", hide_input=True, confirmation_prompt=True, err=True)
    else:
        password = sys.stdin.readline().rstrip("\r\n")
    if not MIN_PASSWORD <= len(password) <= MAX_PASSWORD:
        raise UsageError(f"A password has {MIN_PASSWORD} to {MAX_PASSWORD:,} characters.")
    click.echo(hash_password(password))
    talk('Put it into rung.toml: [dashboard.users.NAME] password = "…", role = "operator"')


@click.command(short_help="Make a token for a program that calls the HTTP API.")
@JSON
def token(as_json: bool) -> None:
    """Make a token for a program that calls the HTTP API, and its hash for rung.toml."""
    from worker.dashboard.access.passwords import hash_token, new_token

    made = new_token()
    if as_json:
        print_json({"token": made, "sha256": hash_token(made)})
        return
    click.echo(f"token   {made}")
    click.echo(f"sha256  {hash_token(made)}")
    talk('The token is not shown again. Put into rung.toml: [dashboard.tokens.NAME] sha256 = "…"')
