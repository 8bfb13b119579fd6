"""Options that mean the same in every command that has them."""

import click

JSON = click.option("--json", "as_json", is_flag=True, help="JSON on stdout.")
YES = click.option("--yes", is_flag=True, help="Do not ask.")
WHERE = click.option("--where", help="Which jobs: 'reason contains schema and age < 1d'.")
DRY_RUN = click.option(
    "--dry-run", is_flag=True, help="Say how many, and the expected cost; change nothing."
)
