"""Brings the database to the schema that this version needs."""

from pathlib import Path

from alembic import command
from alembic.config import Config
from sqlalchemy import Engine


def config_for() -> Config:
    """Alembic's configuration for the installed migrations."""
    import migrations

    config = Config()
    config.set_main_option("script_location", str(Path(str(migrations.__file__)).parent))
    return config


def upgrade(engine: Engine, revision: str = "head") -> None:
    """Migrates to `revision`, waiting for another who is migrating."""
    config = config_for()
    with engine.connect() as connection:
        config.attributes["connection"] = connection
        command.upgrade(config, revision)


def downgrade(engine: Engine, revision: str) -> None:
    """Goes back to `revision`."""
    config = config_for()
    with engine.connect() as connection:
        config.attributes["connection"] = connection
        command.downgrade(config, revision)
