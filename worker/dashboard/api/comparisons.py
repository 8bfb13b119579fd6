"""Two runs side by side, as JSON."""

from typing import Any

from worker.dashboard.api.endpoints import ApiCall
from worker.dashboard.api.reading import run_named
from worker.errors import UsageError
from worker.runs.comparison import read_comparison, refuse_long, two_runs
from worker.store.engine import at_one_moment
from worker.store.reading.comparing import compared_with


def compare(call: ApiCall) -> dict[str, Any]:
    """As `rung compare` gives them; without a second run, the one that it made beside this."""
    with at_one_moment(call.engine) as connection:
        a = run_named(connection, call.path["run"])
        other = call.query.get("beside") or compared_with(connection, a.id)
        if other is None:
            raise UsageError(f"Name the run that {a.name} is compared with.", mend="beside=RUN")
        a, b = two_runs(connection, a.name, run_named(connection, str(other)).name)
        refuse_long(connection, a, b)
    return read_comparison(call.engine, a, b).as_document()
