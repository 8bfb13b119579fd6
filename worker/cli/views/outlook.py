"""Forecasts in a terminal, and where they come from."""

from collections.abc import Mapping
from contextlib import closing
from typing import TYPE_CHECKING

from worker.cli.speech.output import console, talk
from worker.config.settings import Settings
from worker.domain.policy import Policy
from worker.domain.wording import count, dollars, span
from worker.errors import ConfigurationError, Unreachable

if TYPE_CHECKING:
    from worker.domain.knowledge_cost import KnowledgeWay
    from worker.runs.estimator import CountedTokens
    from worker.runs.forecasts import RunForecast


def outlook_of(
    settings: Settings, policy: Policy, strata: Mapping[str, int], lane: str
) -> "RunForecast | None":
    """The forecast from the record; None where there is no record to be reached, or too little."""
    from worker.cli.speech.context import database
    from worker.runs.forecasts import foresee

    try:
        with database(settings) as engine, closing(engine.connect()) as connection:
            return foresee(connection, policy, strata, lane)
    except Unreachable:
        return None
    except ConfigurationError:
        # A certificate that is void would refuse the run as well.
        if policy.accept.certificate is not None:
            raise
        return None


def pages_of(settings: Settings, policy: Policy, lane: str, messages: int) -> "KnowledgeWay | None":
    """How the pages of a run with so many messages would be shown; None without any, or where the
    database cannot be reached."""
    from models.vocabulary import Lane, RunLane
    from worker.cli.speech.context import database
    from worker.runs.estimate import way_of_pages
    from worker.store.passages import stored_folders

    if not policy.knowledge:
        return None
    try:
        with database(settings) as engine, closing(engine.connect()) as connection:
            sizes = {name: one.size for name, one in stored_folders(connection).items()}
    except (Unreachable, ConfigurationError):
        return None
    first = Lane.BATCH if lane == RunLane.BATCH else Lane.REALTIME
    return way_of_pages(settings, policy, sizes, first, messages)


def counted_of(settings: Settings) -> "CountedTokens":
    """What earlier calls counted of the prompts; nothing where no database can be reached."""
    from worker.cli.speech.context import database
    from worker.runs.estimate import counted_tokens

    try:
        with database(settings) as engine, closing(engine.connect()) as connection:
            return counted_tokens(connection, settings)
    except (Unreachable, ConfigurationError):
        return {}


def keep_outlook(
    settings: Settings, policy: Policy, run: str, strata: Mapping[str, int], lane: str
) -> None:
    """Keeps what is expected of a run that has just been submitted, to compare it with fact."""
    from worker.cli.speech.context import database
    from worker.runs.forecasts import keep_forecast

    with database(settings) as engine:
        keep_forecast(engine, policy, run, strata, lane)


def print_outlook(outlook: "RunForecast") -> None:
    """Three figures a line, and what they rest on."""
    from worker.cli.speech.tables import FittingTable

    table = FittingTable("", "10 %", "50 %", "90 %", box=None)
    lines = [("dollars", outlook.dollars, dollars), ("for people", outlook.people, count)]
    for name, one, shown in lines:
        table.add_row(name, *(shown(value) for value in (one.p10, one.p50, one.p90)))
    if outlook.seconds is not None:
        one = outlook.seconds
        table.add_row("time", *(span(value) for value in (one.p10, one.p50, one.p90)))
    console(stderr=True).print(table)
    talk(f"With that probability it stays below the figure, {outlook.basis}.")
    if outlook.detail.days < 2:
        talk("Days differ, and one day alone cannot say how much: 10 % is assumed.")
