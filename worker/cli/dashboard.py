"""`rung dashboard`: the pages alone, beside workers that run elsewhere."""

import click

from worker.cli.dashboard_secrets import hash_, token
from worker.cli.speech.context import database
from worker.cli.speech.output import SIMULATED, talk
from worker.config.loading import load_settings

STOP_S = 2


@click.group(invoke_without_command=True)
@click.option("--host", help="Address to listen at, instead of `dashboard.host`.")
@click.option(
    "--port", type=click.IntRange(0, 65_535), help="Port to listen at, instead of `dashboard.port`."
)
@click.pass_context
def dashboard(ctx: click.Context, host: str | None, port: int | None) -> None:
    """Serve the dashboard until Ctrl-C: what goes on, why, and what can be done about it."""
    if ctx.invoked_subcommand is not None:
        return
    import uvicorn

    from worker.dashboard.access.permissions import check_listening
    from worker.dashboard.app import create_app

    settings = load_settings()
    host = host or settings.dashboard.host
    port = settings.dashboard.port if port is None else port
    check_listening(settings.dashboard, host)
    with database(settings):
        app = create_app(settings)
    shown = f"[{host}]" if ":" in host else host
    talk(f"Dashboard http://{shown}:{port}/")
    if app.state.dashboard.simulated:
        talk(SIMULATED, fg="yellow")
    uvicorn.run(
        app,
        host=host,
        port=port,
        log_level="warning",
        access_log=False,
        server_header=False,
        # Who asks is told by the gate, which knows whom it trusts.
        proxy_headers=False,
        timeout_graceful_shutdown=STOP_S,
    )


dashboard.add_command(hash_)
dashboard.add_command(token)
