"""`python -m benchmarks [NAME…] [--quick] [--json]`: every benchmark, one after another.

Exits 0 whatever was measured: a target that is missed is shown, and judged by people. Exits 1 when
a benchmark could not run.
"""

import importlib
import json
import sys
import time
from collections.abc import Callable

import click
from rich.console import Console

from benchmarks.figures import Finding, as_markdown, show, table_of
from benchmarks.processes import machine

NAMES = (
    "startup",
    "worker_cpu",
    "statements",
    "floor",
    "drain",
    "several",
    "hosts",
    "limiter",
    "intake",
    "shapes",
    "slices",
    "protocol_scale",
    "any_statistics",
    "lane_change",
    "screens",
    "forecast",
    "proof",
    "grounded",
    "grounded_adversarial",
    "knowledge",
    "context_cpu",
)


@click.command()
@click.argument("names", nargs=-1, type=click.Choice(NAMES))
@click.option("--quick", is_flag=True, help="Smaller: to see that it works, not to believe it.")
@click.option("--json", "as_json", is_flag=True, help="JSON on stdout.")
@click.option("--markdown", is_flag=True, help="As docs/performance.md holds it.")
@click.pass_context
def main(
    ctx: click.Context, names: tuple[str, ...], quick: bool, as_json: bool, markdown: bool
) -> None:
    """Speed and memory, as ratios measured in one run."""
    talk = Console(stderr=True)
    findings, broken, before = list[Finding](), list[str](), machine()
    for name in names or NAMES:
        flag = " --quick" if quick else ""
        talk.print(f"[bold]python -m benchmarks {name}{flag}[/bold]")
        began = time.monotonic()
        try:
            finding = measure(name, quick=quick)
        except Exception as error:
            broken.append(name)
            talk.print(f"  [red]could not run:[/red] {type(error).__name__}: {error}")
            continue
        findings.append(finding)
        show(finding, talk)
        talk.print(f"  [dim]took {time.monotonic() - began:.0f} s[/dim]")
    if markdown:
        click.echo(as_markdown(findings, before))
    elif as_json:
        click.echo(json.dumps([finding.as_document() for finding in findings], indent=2))
    else:
        Console().print(table_of(findings))
    ctx.exit(1 if broken else 0)


def measure(name: str, *, quick: bool) -> Finding:
    """Runs one benchmark. Raises whatever keeps it from running."""
    module = importlib.import_module(f"benchmarks.{name}")
    run: Callable[..., Finding] = module.run
    return run(quick=quick)


if __name__ == "__main__":
    sys.exit(main())
