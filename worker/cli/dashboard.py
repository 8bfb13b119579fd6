"""`rung dashboard`: the pages alone, beside workers that run elsewhere."""

import logging
import secrets
import socket

import click
from pydantic import SecretStr

from worker.cli.dashboard_secrets import hash_, token
from worker.cli.speech.context import database
from worker.cli.speech.output import SIMULATED, talk
from worker.config.loading import load_settings
from worker.config.settings import Settings
from worker.errors import RungError
from worker.telemetry import configure_logging


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

    from worker.cli.dashboard_server import STOP_S, DashboardServer, serve
    from worker.dashboard.access.connections import MAX_HEAD, bounded
    from worker.dashboard.access.permissions import check_listening
    from worker.dashboard.app import create_app

    settings, token = with_token(load_settings())
    host = host or settings.dashboard.host
    port = settings.dashboard.port if port is None else port
    check_listening(settings.dashboard, host)
    with database(settings):
        app = create_app(settings)
    shown = f"[{host}]" if ":" in host else host
    _require_free(host, port, shown)
    talk(f"Dashboard http://{shown}:{port}/{token}")
    if app.state.dashboard.simulated:
        talk(SIMULATED, fg="yellow")
    configure_logging()
    logging.getLogger("uvicorn").setLevel(logging.WARNING)
    config = uvicorn.Config(
        app,
        host=host,
        port=port,
        http=bounded(),
        h11_max_incomplete_event_size=MAX_HEAD,
        log_config=None,
        access_log=False,
        server_header=False,
        # Who asks is told by the gate, which knows whom it trusts.
        proxy_headers=False,
        timeout_graceful_shutdown=STOP_S,
    )
    serve(DashboardServer(config))


def _require_free(host: str, port: int, shown: str) -> None:
    """Raises RungError where it would not be heard: an address is not named before that is sure."""
    try:
        family, kind, proto, _, address = socket.getaddrinfo(
            host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
        )[0]
        with socket.socket(family, kind, proto) as tried:
            tried.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            tried.bind(address)
    except OSError as error:
        why = (error.strerror or str(error)).lower()
        raise RungError(
            f"The dashboard cannot listen at {shown}:{port}: {why}.",
            mend="--port PORT with another one, or dashboard.port in rung.toml",
        ) from None


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
