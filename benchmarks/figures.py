"""What a benchmark found, and how it is shown."""

import datetime as dt
import os
import platform
import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

from rich.console import Console
from rich.table import Table

from benchmarks.processes import Machine, machine
from worker.domain.wording import percent


@dataclass(frozen=True, slots=True)
class Figure:
    """One measured figure against its target: a ratio where `unit` is empty."""

    name: str
    measured: float
    target: float
    at_most: bool
    """Whether the target is a ceiling; otherwise it is a floor."""
    unit: str = ""

    @property
    def ok(self) -> bool:
        """Whether the target is met."""
        return self.measured <= self.target if self.at_most else self.measured >= self.target


@dataclass(frozen=True, slots=True)
class Finding:
    """A benchmark's figures, and the facts that they were made of, to be read beside them."""

    benchmark: str
    figures: tuple[Figure, ...]
    facts: Mapping[str, Any] = field(default_factory=dict)

    def as_document(self) -> dict[str, Any]:
        """For JSON."""
        figures = [{**asdict(figure), "ok": figure.ok} for figure in self.figures]
        return {"benchmark": self.benchmark, "figures": figures, "facts": dict(self.facts)}


def show(finding: Finding, console: Console) -> None:
    """The figures and facts of one benchmark, as soon as it has ended."""
    for figure in finding.figures:
        console.print(f"  {figure.name}: [bold]{figure.measured:.3g}{figure.unit}[/bold]")
    facts = ", ".join(f"{name} {_said(value)}" for name, value in finding.facts.items())
    console.print(f"  [dim]{facts}[/dim]", soft_wrap=True)


def table_of(findings: Sequence[Finding]) -> Table:
    """All figures on one table."""
    table = Table("figure", box=None, pad_edge=False)
    for heading in ("measured", "target"):
        table.add_column(heading, justify="right")
    table.add_column("ok")
    for finding in findings:
        for figure in finding.figures:
            bound = f"{'≤' if figure.at_most else '≥'} {figure.target:g}{figure.unit}"
            ok = "[green]yes[/green]" if figure.ok else "[red]no[/red]"
            table.add_row(figure.name, f"{figure.measured:.3g}{figure.unit}", bound, ok)
    return table


def as_markdown(findings: Sequence[Finding], before: Machine) -> str:
    """The figures with when, where and on what they were measured; `before` is the machine as it
    stood before."""
    commit = subprocess.run(
        ["git", "describe", "--always", "--dirty"], capture_output=True, text=True, check=False
    ).stdout.strip()
    when = dt.datetime.now(dt.UTC).date().isoformat()
    busy = machine().busy_share_since(before)
    lines = [
        f"{when}, commit {commit or 'unknown'}, {os.cpu_count()} processors, Python"
        f" {platform.python_version()}; the machine was {percent(busy)} busy, by us and by others.",
        "",
        "| figure | measured | target | met |",
        "| --- | ---: | ---: | --- |",
    ]
    for finding in findings:
        for figure in finding.figures:
            bound = f"{'≤' if figure.at_most else '≥'} {figure.target:g}{figure.unit}"
            measured, met = f"{figure.measured:.3g}{figure.unit}", "yes" if figure.ok else "no"
            lines.append(f"| {figure.name} | {measured} | {bound} | {met} |")
    facts = [
        f"- {finding.benchmark}: "
        + ", ".join(f"{name} {_said(value)}" for name, value in finding.facts.items())
        for finding in findings
    ]
    return "\n".join([*lines, "", *facts])


def _said(value: Any) -> str:
    return f"{value:.4g}" if isinstance(value, float) else str(value)
