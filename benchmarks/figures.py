"""What a benchmark found, and how it is shown."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

from rich.console import Console
from rich.table import Table


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


def _said(value: Any) -> str:
    return f"{value:.4g}" if isinstance(value, float) else str(value)
