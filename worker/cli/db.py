"""`rung db`: the schema."""

import click

from worker.cli.speech.output import talk
from worker.config.addresses import database_url
from worker.config.loading import load_settings
from worker.store.engine import make_engine, reaching_postgres
from worker.store.schema_check import current, known_revisions


@click.group()
def db() -> None:
    """Migrate the database."""


@db.command(short_help="Bring the schema to what this version needs.")
def upgrade() -> None:
    """Bring the schema to what this version needs; safe to repeat, and to run twice at once."""
    from worker.store.schema import upgrade as migrate

    engine = make_engine(database_url(load_settings()), pool_size=1, name="rung db")
    with reaching_postgres(engine):
        before = current(engine)
        migrate(engine)
        after = current(engine)
    engine.dispose()
    moved = f"Migrated {before or 'an empty database'} to {after}."
    talk(f"The schema is at {after}." if before == after else moved)


@db.command("current", short_help="The revision of the database, and the one needed.")
def show_current() -> None:
    """The revision of the database, and the one that this version needs."""
    engine = make_engine(database_url(load_settings()), pool_size=1, name="rung db")
    with reaching_postgres(engine):
        found = current(engine)
    engine.dispose()
    click.echo(f"{found or 'empty'} (needs {known_revisions()[-1]})")
