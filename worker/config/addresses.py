"""Where Postgres, Redis and Claude are: the configuration, or else a running `rung up`.

`rung up` says in `RUNG_HOME/services.json` where its embedded services listen, so that a second
terminal, or a Celery worker started by hand, finds them with nothing configured.
"""

import datetime as dt
import json
import os
from dataclasses import asdict, dataclass
from pathlib import Path

from models.vocabulary import Lane, RunLane
from worker.config.redis_address import read_redis
from worker.config.redis_server import RedisAddress
from worker.config.settings import Settings
from worker.domain.lane_choice import lane_of
from worker.errors import RungError, Unreachable, UsageError

FILE_NAME = "services.json"
SIMULATOR_KEY = "sk-simulated"
SIMULATED_TURNAROUND_S = 10.0
"""The simulator's batches take seconds: against it, neither waiting nor cancelling takes longer."""
NOTHING_RUNS = "and no `rung up` is running in {home}"
ANOTHERS = "and what runs in {home} is another user's"


@dataclass(frozen=True, slots=True, kw_only=True)
class Services:
    """Addresses. `simulated` says that Claude is Rung's own simulator; `pid` is `rung up`'s."""

    pid: int
    database_url: str | None
    redis_url: str | None
    anthropic_base_url: str | None
    dashboard_url: str | None = None

    @property
    def simulated(self) -> bool:
        """Whether the sandbox answers instead of Claude."""
        return self.anthropic_base_url is not None


def write_services(home: Path, services: Services) -> None:
    """Says where the embedded services listen, in one atomic step."""
    temporary = home / f"{FILE_NAME}.{os.getpid()}"
    temporary.unlink(missing_ok=True)
    # For our user's eyes only: it says where to go, and the dashboard's address may hold a token.
    descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "w", encoding="utf-8") as file:
        file.write(json.dumps(asdict(services), indent=2))
    temporary.replace(home / FILE_NAME)


def read_services(home: Path) -> Services | None:
    """What a running `rung up` said; None when there is none, or it has died."""
    try:
        services = Services(**json.loads((home / FILE_NAME).read_text("utf-8")))
        os.kill(services.pid, 0)
    except (OSError, ValueError, TypeError):
        return None
    return services


def database_url(settings: Settings) -> str:
    """Raises Unreachable when there is neither a setting nor a running sandbox."""
    services = read_services(settings.home)
    url = settings.database_url or (services.database_url if services else None)
    if url is None:
        raise _missing(settings, "DATABASE_URL")
    return url


def redis_address(settings: Settings) -> RedisAddress:
    """As `redis_url`, taken apart."""
    return read_redis(redis_url(settings))


def redis_url(settings: Settings) -> str:
    """Raises Unreachable when there is neither a setting nor a running sandbox."""
    services = read_services(settings.home)
    url = settings.redis_url or (services.redis_url if services else None)
    if url is None:
        raise _missing(settings, "REDIS_URL")
    return url


@dataclass(frozen=True, slots=True, kw_only=True)
class ClaudeAddress:
    """A key and where to send it (None: api.anthropic.com)."""

    api_key: str
    base_url: str | None
    simulated: bool
    via: str = "api"
    region: str | None = None
    project: str | None = None


def claude_address(settings: Settings) -> ClaudeAddress:
    """The configured key, or the sandbox's simulator. Raises Unreachable when there is neither."""
    claude = settings.claude
    if claude.via != "api":
        return ClaudeAddress(
            api_key="",
            base_url=settings.anthropic_base_url,
            simulated=False,
            via=claude.via,
            region=claude.region,
            project=claude.project,
        )
    services = read_services(settings.home)
    simulator = services.anthropic_base_url if services else None
    if settings.anthropic_api_key is not None:
        key = settings.anthropic_api_key.get_secret_value()
        base_url = settings.anthropic_base_url
        if key == SIMULATOR_KEY:
            return ClaudeAddress(api_key=key, base_url=base_url or simulator, simulated=True)
        return ClaudeAddress(api_key=key, base_url=base_url, simulated=False)
    if simulator is not None:
        return ClaudeAddress(api_key=SIMULATOR_KEY, base_url=simulator, simulated=True)
    raise _missing(settings, "ANTHROPIC_API_KEY")


def is_simulated(settings: Settings) -> bool:
    """Whether the simulator answers instead of Claude; not where nothing is configured."""
    try:
        return claude_address(settings).simulated
    except RungError:
        return False


def assumed_turnaround_s(settings: Settings) -> float:
    """Seconds that a batch is taken to need until three have ended: the simulator's take no more
    than moments, whatever Claude's would."""
    assumed: float = settings.batch.turnaround_s
    return min(assumed, SIMULATED_TURNAROUND_S) if is_simulated(settings) else assumed


def _missing(settings: Settings, name: str) -> Unreachable:
    if _is_anothers(settings.home / FILE_NAME):
        where, mend = ANOTHERS, f"as that user, or set {name}"
    else:
        where, mend = NOTHING_RUNS, f"rung up, or set {name}"
    return Unreachable(f"{name} is not set, {where.format(home=settings.home)}.", mend=mend)


def _is_anothers(file: Path) -> bool:
    """Whether it is there, and not for us to read."""
    try:
        return file.exists() and not os.access(file, os.R_OK)
    except PermissionError:
        return True


def night_lane(settings: Settings, named: str | None) -> Lane:
    """The lane of a night run: half price where Claude's door has batches."""
    if named is not None:
        return Lane(named)
    return Lane.BATCH if settings.claude.via == "api" else Lane.REALTIME


def lane_for(settings: Settings, named: str | None, deadline: dt.datetime | None) -> RunLane:
    """The lane of a new run. Raises UsageError where it needs batches, and Claude's door has
    none; a lane that nobody named is then realtime."""
    lane = lane_of(named, deadline)
    if lane is RunLane.REALTIME or settings.claude.via == "api":
        return lane
    if named is None:
        return RunLane.REALTIME
    raise UsageError(
        f"claude.via is {settings.claude.via}, which has no batches.", mend="--lane realtime"
    )
