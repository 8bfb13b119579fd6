"""`rung map`: which columns are what, remembered under a name."""

import os
from pathlib import Path

import click

from worker.cli.speech.options import JSON
from worker.cli.speech.output import echo, print_json, talk
from worker.config.loading import FILE_NAME, config_path, load_settings
from worker.config.settings import Settings
from worker.errors import UsageError
from worker.intake.ahead import stream
from worker.intake.maps import columns_of, map_named, remembered, save
from worker.intake.presets import PRESETS
from worker.intake.reader import Backlog, ReadingOptions


def saved_maps(settings: Settings) -> dict[str, dict[str, str]]:
    """The maps of rung.toml, as plain columns."""
    return {name: one.columns for name, one in settings.intake.maps.items()}


@click.group("map")
def map() -> None:
    """Maps of columns, for rung enqueue --map NAME: those that come with Rung, and your own."""


@map.command("list")
@JSON
def list_maps(as_json: bool) -> None:
    """All maps: yours first."""
    own = saved_maps(load_settings())
    whole = {**{name: dict(one.columns) for name, one in PRESETS.items()}, **own}
    if as_json:
        print_json(whole)
        return
    for name in sorted(whole, key=lambda name: (name not in own, name)):
        echo(f"{name}{'' if name in own else '  (comes with Rung)'}")
        for field, place in whole[name].items():
            echo(f"  {field} ← {place}")


@map.command("save", short_help="Remember columns in rung.toml, to be used by name.")
@click.argument("name", metavar="NAME")
@click.argument("file", required=False, metavar="[FILE]")
@click.option("--map", "said", multiple=True, metavar="FIELD=COLUMN", help="body=Message, …")
@click.option("--replace", is_flag=True, help="Instead of the map that has this name.")
def save_map(name: str, file: str | None, said: tuple[str, ...], replace: bool) -> None:
    """Remember columns in rung.toml: those that are said, those guessed of FILE, or those of what
    was submitted last."""
    settings = load_settings()
    if not name.replace("-", "").replace("_", "").isalnum():
        raise UsageError(f"{name!r} is no name for a map.", mend="letters, digits, - and _")
    explicit, usual = columns_of(said, saved_maps(settings))
    columns = {**usual, **explicit}
    if file is not None:
        with stream(file) as content:
            columns = dict(
                Backlog(file, content, ReadingOptions(columns=explicit, usual=usual)).guess.columns
            )
    elif not columns:
        columns = remembered(settings.home)
    if not columns:
        raise UsageError(
            "There is nothing to remember: the columns have our names already.",
            mend="rung map save NAME --map body=COLUMN",
        )
    path = config_path(os.environ, Path.cwd()) or Path.cwd() / FILE_NAME
    save(path, name, columns, replace=replace)
    words = ", ".join(f"{field} ← {place}" for field, place in columns.items())
    talk(f"{path}: [intake.maps.{name}] {words}. Use it with: rung enqueue --map {name} FILE")


@map.command("show")
@click.argument("name", metavar="NAME")
def show_map(name: str) -> None:
    """One map, as options of rung enqueue."""
    columns = map_named(name, saved_maps(load_settings()))
    print_json(dict(columns))
