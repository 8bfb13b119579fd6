"""The tables of `docs/` that are made from code.

`python -m tests.support.docs_tables` refreshes them.

A generated table stands between `<!-- table: NAME -->` and `<!-- end -->`. Names, types and
defaults come from the code; the last column, what it means, is written by hand, and is kept for
every row that still exists. A new row takes the code's own words, or `?`, which
`tests/unit/test_docs_in_step.py` refuses. A new command or section of settings goes to the end of
its document.
"""

import re
import sys
from collections import Counter
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import click

from models.tables import Base
from tests.support.docs_markdown import BLOCK, Row, Table, blocks, first_paragraph, meanings_of
from tests.support.docs_settings import settings_tables
from worker.cli.main import cli
from worker.config import loading
from worker.dashboard.metrics.families import METRICS
from worker.domain.filters import FIELDS, OPS
from worker.domain.validation import BUILTIN

ROOT = Path(__file__).parents[2]
REFRESH = ".venv/bin/python -m tests.support.docs_tables"
HOMES = {"settings": "configuration.md", "command": "commands.md"}
"""Where a table goes that no document holds yet, by the first part of its name."""

ARGUMENTS = {
    "RUN": "Name or number of a run.",
    "RUNS": "Names or numbers of runs.",
    "JOB": "Number of a job, `RUN/EXTERNAL_ID`, or an `external_id` that only one run has.",
    "NUMBER": "Number of a certificate.",
    "TABLE": "A CSV file of graded outcomes, perhaps gzipped.",
    "FILE": "A file, or `-` for standard input.",
}
"""Click gives arguments no help."""


def main() -> None:
    """Rewrites every generated table of `docs/`, and adds those that no document holds."""
    known = tables()
    texts = {path: path.read_text("utf-8") for path in documents()}
    held = {name for text in texts.values() for name in blocks(text)}
    for path, text in texts.items():
        missing = [n for n in known if n not in held and HOMES.get(_kind(n)) == path.name]
        fresh = refreshed(text + "".join(_section(name) for name in missing), known)
        if fresh != text:
            path.write_text(fresh, "utf-8")
            sys.stderr.write(f"refreshed {path.relative_to(ROOT)}\n")


def documents() -> list[Path]:
    """The documents that may hold generated tables."""
    return sorted((ROOT / "docs").rglob("*.md"))


def refreshed(text: str, known: dict[str, Table]) -> str:
    """`text` with each generated table as the code has it now; a table that no code answers to
    any more is emptied, for a person to remove its section."""

    def fresh(match: re.Match[str]) -> str:
        table = known.get(match[2], Table((), ()))
        return match[1] + table.render(meanings_of(match[3])) + match[4]

    return BLOCK.sub(fresh, text)


def _kind(name: str) -> str:
    return name.partition(":")[0]


def _section(name: str) -> str:
    rest = name.partition(":")[2]
    title = rest.replace(".", " ") if _kind(name) == "command" else f"[{rest}]"
    return f"\n### `{title}`\n\n<!-- table: {name} -->\n<!-- end -->\n"


@cache
def tables() -> dict[str, Table]:
    """Every table that code can make, by the name that documents use."""
    made = settings_tables()
    made |= {f"command:{path}": _command_table(command) for path, command in commands()}
    made["environment"] = Table(("variable", "meaning"), tuple(Row(n) for n in environment()))
    made["validators"] = Table(
        ("validator", "finds"),
        tuple(Row(name, (), first_paragraph(check)) for name, check in BUILTIN.items()),
    )
    made["make"] = Table(("target", "does"), tuple(Row(n, (), w) for n, w in make_targets()))
    made["tables"] = Table(("table", "holds"), tuple(Row(n, (), w) for n, w in stored()))
    made["filter-fields"] = Table(
        ("field", "compares by", "meaning"),
        tuple(
            Row(name, (" ".join(f"`{op}`" for op in OPS[field.of]),), field.meaning)
            for name, field in FIELDS.items()
        ),
    )
    made["metrics"] = Table(
        ("metric", "kind", "labels", "meaning"),
        tuple(
            Row(one.name, (one.kind, " ".join(f"`{label}`" for label in one.labels)), one.help)
            for one in METRICS
        ),
    )
    made |= fault_tables()
    made["exit-codes"] = Table(("code", "meaning"), tuple(Row(str(c)) for c in exit_codes()))
    return made


def fault_tables() -> dict[str, Table]:
    """The fault suite: its failure modes with their scenarios, and the safeguards' switches."""
    from tests.faults.report import ROWS
    from tests.faults.test_safeguards import SAFEGUARDS
    from tests.faults.test_scenarios import TABLE

    numbers = Counter(scenario.row for scenario in TABLE)
    modes = tuple(Row(str(n), (words, str(numbers[n]))) for n, words in ROWS.items())
    switches = tuple(Row(name, (guard.broken,)) for name, guard in SAFEGUARDS.items())
    return {
        "failure-modes": Table(("#", "failure mode", "scenarios", "how it is met"), modes),
        "safeguards": Table(("switched off", "the checker says", "what it is"), switches),
    }


def stored() -> list[tuple[str, str]]:
    """Every table of the schema, and what its model says of it."""
    models = {mapper.class_.__tablename__: mapper.class_ for mapper in Base.registry.mappers}
    return [(name, first_paragraph(models[name])) for name in sorted(models)]


def environment() -> list[str]:
    """Every environment variable that is read by name; `RUNG_*` settings are in their tables."""
    files = [name + loading.SECRET_FILE_SUFFIX for name in loading.PLAIN_NAMES]
    return [*loading.PLAIN_NAMES, *files, *sorted(loading.NOT_SETTINGS - {"RUNG_TEST_RUN"})]


def commands(group: click.Group = cli, path: str = "rung") -> Iterator[tuple[str, click.Command]]:
    """Every command with its path: `rung db upgrade` is `rung.db.upgrade`."""
    context = click.Context(group, info_name=path)
    for name in group.list_commands(context):
        command = group.get_command(context, name)
        assert command is not None, f"{path} lists {name}, and there is no such command"
        if not isinstance(command, click.Group) or command.invoke_without_command:
            yield f"{path}.{name}", command
        if isinstance(command, click.Group):
            yield from commands(command, f"{path}.{name}")


def _command_table(command: click.Command) -> Table:
    intro = first_paragraph(command.callback) or command.help or ""
    shown = (one for one in command.params if not getattr(one, "hidden", False))
    rows = tuple(map(_parameter, shown))
    return Table(("argument or option", "meaning"), rows, intro)


def _parameter(parameter: click.Parameter) -> Row:
    if not isinstance(parameter, click.Option):
        name = re.sub(r"[^A-Z_|].*", "", parameter.human_readable_name.upper().lstrip("["))
        shown = name + ("…" if parameter.nargs == -1 else "")
        return Row(shown if parameter.required else f"[{shown}]", (), ARGUMENTS.get(name, ""))
    names = ", ".join([*parameter.opts, *parameter.secondary_opts])
    takes = "" if parameter.is_flag or parameter.count else " " + _placeholder(parameter)
    return Row(names + takes, (), parameter.help or "")


def _placeholder(option: click.Option) -> str:
    if option.metavar:
        return option.metavar
    if isinstance(option.type, click.Choice):
        return "|".join(str(choice) for choice in option.type.choices)
    return (option.name or "value").replace("_", "-").upper()


def exit_codes() -> list[int]:
    """Success, and every exit code of the error tree and of the commands' modules."""
    from worker.cli import enqueue, main, watch
    from worker.errors import RungError

    def of(error: type[RungError]) -> Iterator[int]:
        yield error.exit_code
        for child in error.__subclasses__():
            yield from of(child)

    named = {
        value
        for module in (enqueue, main, watch)
        for name, value in vars(module).items()
        if name.startswith("EXIT_") and isinstance(value, int)
    }
    return sorted({0, *of(RungError), *named})


def make_targets() -> list[tuple[str, str]]:
    """The Makefile's targets with their help; a target without help has an empty one."""
    text = (ROOT / "Makefile").read_text("utf-8")
    found = re.findall(r"^([a-z][a-z-]*):(?!=)[^#\n]*(?:## (.*))?$", text, re.MULTILINE)
    return sorted(found)


if __name__ == "__main__":
    main()
