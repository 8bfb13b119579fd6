"""`rung dashboard`: the pages alone, beside workers that run elsewhere."""

import logging
import secrets

import click
from pydantic import SecretStr

from worker.cli.dashboard_secrets import hash_, token
from worker.cli.speech.context import database
from worker.cli.speech.output import SIMULATED, talk
from worker.config.loading import load_settings
from worker.config.settings import Settings
from worker.telemetry import configure_logging


@click.group(invoke_without_command=True)
@click.option("--host", help="Address to listen at, instead of `dashboard.host`.")
@click.option(
    "--port", type=click.IntRange(0, 65_535), help="Port to listen at, instead of `dashboard.port`."
)
@click.option("--fd", type=int, hidden=True, help="A socket of `rung up`, which listens already.")
@click.pass_context
def dashboard(ctx: click.Context, host: str | None, port: int | None, fd: int | None) -> None:
    """Serve the dashboard until Ctrl-C: what goes on, why, and what can be done about it."""
    if ctx.invoked_subcommand is not None:
        return
    import uvicorn

    from worker.cli.dashboard_server import STOP_S, DashboardServer, serve
    from worker.cli.listening import address_of, handed_over, listen
    from worker.dashboard.access.connections import MAX_HEAD, bounded
    from worker.dashboard.access.permissions import check_listening
    from worker.dashboard.app import create_app

    settings, token = with_token(load_settings())
    host = host or settings.dashboard.host
    port = settings.dashboard.port if port is None else port
    check_listening(settings.dashboard, host)
    with database(settings):
        app = create_app(settings)
    listeners = listen(host, port) if fd is None else handed_over(fd)
    talk(f"Dashboard {address_of(host, listeners)}/{token}")
    if app.state.dashboard.simulated:
        talk(SIMULATED, fg="yellow")
    configure_logging()
    logging.getLogger("uvicorn").setLevel(logging.WARNING)
    config = uvicorn.Config(
        app,
        http=bounded(),
        h11_max_incomplete_event_size=MAX_HEAD,
        log_config=None,
        access_log=False,
        server_header=False,
        # Who asks is told by the gate, which knows whom it trusts.
        proxy_headers=False,
        timeout_graceful_shutdown=STOP_S,
    )
    serve(DashboardServer(config), listeners)


def with_token(settings: Settings) -> tuple[Settings, str]:
    """Settings with a token made now where one is asked for and none is set; and what to put behind
    the address then. A token that was set is not repeated: logs are no place for it."""
    if not settings.dashboard.asks_for_token or settings.dashboard.token is not None:
        return settings, ""
    token = secrets.token_urlsafe(32)
    dashboard = settings.dashboard.model_copy(update={"token": SecretStr(token)})
    return settings.model_copy(update={"dashboard": dashboard}), f"?token={token}"


dashboard.add_command(hash_)
dashboard.add_command(token)
