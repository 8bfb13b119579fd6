"""`rung dashboard`: the pages alone, beside workers that run elsewhere."""

import ipaddress

import click

from worker.cli.context import database
from worker.cli.output import SIMULATED, talk
from worker.cli.up import DEFAULT_PORT
from worker.errors import UsageError
from worker.loading import load_settings

STOP_S = 2


@click.command()
@click.option("--host", default="127.0.0.1", show_default=True, help="Address to listen at.")
@click.option(
    "--port",
    type=click.IntRange(0, 65_535),
    default=DEFAULT_PORT,
    show_default=True,
    help="Port to listen at.",
)
def dashboard(host: str, port: int) -> None:
    """Serve the dashboard until Ctrl-C: what goes on, why, and what can be done about it."""
    import uvicorn

    from worker.dashboard.app import create_app

    settings = load_settings()
    if not _is_loopback(host):
        raise UsageError(f"{host} is open to others, and no credentials are set.")
    with database(settings):
        app = create_app(settings)
    talk(f"Dashboard http://{host}:{port}/")
    if app.state.dashboard.simulated:
        talk(SIMULATED, fg="yellow")
    uvicorn.run(
        app,
        host=host,
        port=port,
        log_level="warning",
        access_log=False,
        server_header=False,
        timeout_graceful_shutdown=STOP_S,
    )


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
