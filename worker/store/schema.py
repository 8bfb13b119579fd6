"""The schema's version: what it is, what it must be, and how it gets there."""

from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Engine

from worker.errors import SchemaBehind


def _config() -> Config:
    config = Config()
    import migrations

    config.set_main_option("script_location", str(Path(str(migrations.__file__)).parent))
    return config


def head() -> str:
    """The newest revision that this version of Rung knows."""
    return str(ScriptDirectory.from_config(_config()).get_current_head())


def current(engine: Engine) -> str | None:
    """The database's revision; None when it is empty."""
    with engine.connect() as connection:
        return MigrationContext.configure(connection).get_current_revision()


def upgrade(engine: Engine, revision: str = "head") -> None:
    """Migrates to `revision`, waiting for another who is migrating."""
    config = _config()
    with engine.connect() as connection:
        config.attributes["connection"] = connection
        command.upgrade(config, revision)


def require_current(engine: Engine) -> None:
    """Raises SchemaBehind unless the database is at the newest revision."""
    found, wanted = current(engine), head()
    if found == wanted:
        return
    known = [script.revision for script in ScriptDirectory.from_config(_config()).walk_revisions()]
    if found is not None and found not in known:
        raise SchemaBehind(
            f"The database is at revision {found}, which this version of Rung does not know.",
            mend="install the newer Rung that migrated it",
        )
    state = f"at revision {found}" if found else "empty"
    raise SchemaBehind(
        f"The database is {state}, and this version needs {wanted}.", mend="rung db upgrade"
    )
