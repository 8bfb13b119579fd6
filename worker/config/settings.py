"""All settings together. Loaded by `worker.config.loading`, then frozen."""

from pathlib import Path
from typing import Any, Self

from pydantic import Field, SecretStr, field_validator, model_validator

from models.vocabulary import ROUTING
from worker.config.address_spelling import refuse_no_web_host
from worker.config.dashboard import DashboardSettings
from worker.config.doors import DeliverSettings, IntakeSettings, NotifySettings
from worker.config.lookups import LookupSettings
from worker.config.nightly import NightlySettings
from worker.config.redis_address import read_redis
from worker.config.sections import (
    AuditSettings,
    BatchSettings,
    BreakerSettings,
    BudgetSettings,
    CanarySettings,
    CheckSettings,
    ClaudeSettings,
    DatabaseSettings,
    PolicySettings,
    PriceSettings,
    PromptSettings,
    RoutingSettings,
    Section,
    TierSettings,
    TimingSettings,
    WorkerSettings,
)
from worker.domain.ladder import Ladder
from worker.errors import ConfigurationError

__all__ = ["NightlySettings", "PriceSettings", "Settings", "default_tiers"]


def default_tiers() -> dict[str, TierSettings]:
    """The ladder when `rung.toml` names none: Haiku, Sonnet, Opus of November 2026."""
    return {
        "haiku": TierSettings(
            model="claude-haiku-5-5", rpm=4_000, itpm=2_000_000, otpm=400_000, max_in_flight=64
        ),
        "sonnet": TierSettings(
            model="claude-sonnet-5-5", rpm=2_000, itpm=1_000_000, otpm=200_000, max_in_flight=32
        ),
        "opus": TierSettings(
            model="claude-opus-5-5",
            rpm=1_000,
            itpm=500_000,
            otpm=100_000,
            max_in_flight=16,
            max_tokens=4_096,
        ),
    }


class Settings(Section):
    """Everything, parsed once and frozen."""

    home: Path = Path(".rung")
    database_url: str | None = None
    redis_url: str | None = None
    anthropic_api_key: SecretStr | None = None
    anthropic_base_url: str | None = None

    policy: PolicySettings = PolicySettings()
    policies: dict[str, dict[str, Any]] = Field(default_factory=dict)
    """Policies of one's own, by name; checked by `worker.config.policies`."""
    validators: dict[str, str] = Field(default_factory=dict)
    """Validators of one's own, by name: `FILE.py:FUNCTION` or `MODULE:FUNCTION`."""
    lookups: dict[str, LookupSettings] = Field(default_factory=dict)
    """Where facts about a message's customer are asked for, by name."""
    retrievers: dict[str, str] = Field(default_factory=dict)
    """Functions of one's own that find passages, by name: `FILE.py:FUNCTION` or `MODULE:FUNCTION`.
    """
    embedders: dict[str, str] = Field(default_factory=dict)
    """Functions of one's own that turn texts into vectors, by name, for pgvector:
    `FILE.py:FUNCTION` or `MODULE:FUNCTION`."""
    tiers: dict[str, TierSettings] = Field(default_factory=default_tiers)
    routing: RoutingSettings = RoutingSettings()
    check: CheckSettings = CheckSettings()
    budget: BudgetSettings = BudgetSettings()
    audit: AuditSettings = AuditSettings()
    prompts: PromptSettings = PromptSettings()
    prices: dict[str, PriceSettings] = Field(default_factory=dict)
    schedule: dict[str, NightlySettings] = Field(default_factory=dict)
    timing: TimingSettings = TimingSettings()
    worker: WorkerSettings = WorkerSettings()
    database: DatabaseSettings = DatabaseSettings()
    claude: ClaudeSettings = ClaudeSettings()
    batch: BatchSettings = BatchSettings()
    breaker: BreakerSettings = BreakerSettings()
    canary: CanarySettings = CanarySettings()
    notify: NotifySettings = NotifySettings()
    intake: IntakeSettings = IntakeSettings()
    deliver: dict[str, DeliverSettings] = Field(default_factory=dict)
    """Webhooks for answers, by name: `[deliver.helpdesk]`."""
    dashboard: DashboardSettings = DashboardSettings()

    @field_validator("anthropic_base_url")
    @classmethod
    def claude_is_a_web_address(cls, url: str | None) -> str | None:
        """None where it is empty, as compose files leave it. What is none would be met by each
        call only, as a connection that was lost."""
        if url is None or not url.strip():
            return None
        if not url.strip().lower().startswith(("https://", "http://")):
            raise ValueError("ANTHROPIC_BASE_URL must begin with https:// or http://")
        refuse_no_web_host("ANTHROPIC_BASE_URL", url.strip())
        return url.strip()

    @field_validator("redis_url")
    @classmethod
    def redis_can_be_asked(cls, url: str | None) -> str | None:
        """Refused before anything starts, and not when the first delivery is due."""
        try:
            return url if url is None or read_redis(url) else None
        except ConfigurationError as error:
            raise ValueError(f"{str(error).rstrip('.')}; {error.mend}") from None

    @model_validator(mode="after")
    def tiers_form_a_ladder(self) -> Self:
        """Names, their number, and the tier that classifies."""
        try:
            ladder = self.ladder
        except ValueError as error:
            raise ValueError(f"tiers: {error}") from None
        if self.routing.tier is not None and self.routing.tier not in ladder.names:
            raise ValueError(
                f"routing.tier is {self.routing.tier!r}; it must be one of "
                + ", ".join(ladder.names)
            )
        return self

    @model_validator(mode="after")
    def nights_find_batches(self) -> Self:
        """A night that wants batches where there are none is better refused by day."""
        for name, night in self.schedule.items():
            if night.lane == "batch" and self.claude.via != "api":
                raise ValueError(
                    f"schedule.{name}.lane is batch, and claude.via is {self.claude.via}, which has"
                    " no batches; leave it out, or say realtime"
                )
        return self

    @property
    def ladder(self) -> Ladder:
        """The order of the tables is the order of the ladder."""
        return Ladder(tuple(self.tiers))

    @property
    def queues(self) -> list[str]:
        """`routing` and one for each tier, cheapest first."""
        return [ROUTING, *self.tiers]

    @property
    def ticks(self) -> bool:
        """Whether there is anything that a scheduler has to see to."""
        return bool(self.schedule or self.audit.shadow)

    @property
    def routing_tier(self) -> str:
        """The tier whose model classifies."""
        return self.routing.tier or self.ladder.bottom
