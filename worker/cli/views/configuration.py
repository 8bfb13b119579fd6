"""What a configuration was understood to say, a line each."""

from collections.abc import Iterator
from typing import Any

from models.vocabulary import Lane
from worker.config.policies import policy_named
from worker.config.prices import price_of
from worker.config.settings import Settings
from worker.domain.policy import CLASSIFY, Policy
from worker.domain.prompts import Prompts
from worker.domain.wording import count, dollars, plural


def understood(settings: Settings, prompts: Prompts) -> dict[str, Any]:
    """For JSON."""
    own = [name for name in settings.policies if name != settings.policy.preset]
    names = [settings.policy.preset, *own]
    return {
        "policies": [_policy(settings, policy_named(settings, name)) for name in names],
        "tiers": [_tier(settings, name) for name in settings.tiers],
        "prompts": {
            "from": str(settings.prompts.dir) if settings.prompts.dir else None,
            **{
                name: {"version": prompt.version, "tokens": prompt.tokens}
                for name, prompt in prompts.items()
            },
        },
        "budget": {
            "per_run_usd": settings.budget.per_run_usd,
            "per_day_usd": settings.budget.per_day_usd,
        },
        "maps": list(settings.intake.maps),
        "webhooks": list(settings.deliver),
        "schedules": {name: one.cron for name, one in settings.schedule.items()},
        "dashboard": {
            "users": list(settings.dashboard.users),
            "tokens": list(settings.dashboard.tokens),
        },
    }


def _policy(settings: Settings, policy: Policy) -> dict[str, Any]:
    uses = [use.name for use in policy.accept.validators]
    asked = policy.accept.confidence != "off"
    return {
        "name": policy.name,
        "ladder": list(policy.ladder),
        "rules": [rule.name for rule in policy.start.rules],
        "otherwise": policy.start.otherwise,
        "validators": uses,
        "own_validators": [name for name in uses if name in settings.validators],
        "confidence": policy.accept.confidence,
        "certificate": policy.accept.certificate,
        "shows": _shown(policy),
        "prompts": policy.prompts,
        "thresholds": {t: policy.accept.threshold_at(t) for t in policy.ladder} if asked else {},
    }


def _shown(policy: Policy) -> list[str]:
    """What the model sees beside the message."""
    use = policy.context
    return [
        *use.fields,
        *(["the thread"] if use.thread_column is not None else []),
        *(f"look-up {name}" for name in use.lookups),
        *(f"pages of {folder}" for folder in policy.knowledge),
        *([f"retriever {use.retriever}"] if use.retriever is not None else []),
    ]


def _tier(settings: Settings, name: str) -> dict[str, Any]:
    tier = settings.tiers[name]
    price = price_of(tier.model, settings.prices)
    rates = price.rates(0, Lane.REALTIME) if price is not None else None
    return {
        "name": name,
        "model": tier.model,
        "input_usd": rates.input if rates else None,
        "output_usd": rates.output if rates else None,
        "rpm": tier.rpm,
        "itpm": tier.itpm,
        "otpm": tier.otpm,
        "max_in_flight": tier.max_in_flight,
    }


def as_words(found: dict[str, Any]) -> Iterator[str]:
    """The same as lines for people."""
    for place, policy in enumerate(found["policies"]):
        yield f"Policy {policy['name']}{' (the usual one)' if place == 0 else ''}: " + "; ".join(
            _policy_words(policy)
        )
    for tier in found["tiers"]:
        yield f"Tier {tier['name']}: {', '.join(_tier_words(tier))}"
    prompts = dict(found["prompts"])
    where = prompts.pop("from") or "the example company's"
    said = (f"{n} {p['version']} (about {count(p['tokens'])} tokens)" for n, p in prompts.items())
    yield f"Prompts, {where}: {', '.join(said)}"
    yield (
        f"Budgets: {_cap(found['budget']['per_run_usd'])} a run,"
        f" {_cap(found['budget']['per_day_usd'])} a day"
    )
    if found["maps"]:
        yield f"Maps of columns: {', '.join(found['maps'])}"
    if found["webhooks"]:
        yield f"Answers are delivered to: {', '.join(found['webhooks'])}"
    for name, cron in found["schedules"].items():
        yield f"Schedule {name}: {cron}"
    people = found["dashboard"]
    if people["users"] or people["tokens"]:
        yield (
            f"Dashboard: {plural(len(people['users']), 'user')},"
            f" {plural(len(people['tokens']), 'token')}"
        )


def _policy_words(policy: dict[str, Any]) -> Iterator[str]:
    yield " → ".join(policy["ladder"])
    if policy["prompts"]:
        yield f"prompts of its own ({policy['prompts']})"
    if policy["shows"]:
        yield f"shows {', '.join(policy['shows'])}"
    rules = policy["rules"]
    then = "classified" if policy["otherwise"] == CLASSIFY else f"started at {policy['otherwise']}"
    yield f"{plural(len(rules), 'rule')} ({', '.join(rules)}), then {then}" if rules else then
    own = len(policy["own_validators"])
    names = ", ".join(policy["validators"])
    yield plural(len(policy["validators"]), "validator") + (
        f" ({names}{f'; {own} of your own' if own else ''})" if names else ""
    )
    if policy["confidence"] == "off":
        yield "confidence is not asked"
    else:
        shares = dict.fromkeys(f"{share:f}" for share in policy["thresholds"].values())
        yield f"confidence {policy['confidence']}, from {', '.join(shares)}"
    if policy["certificate"] is not None:
        yield f"and what certificate {policy['certificate']} asks for beside it"


def _tier_words(tier: dict[str, Any]) -> Iterator[str]:
    yield tier["model"]
    if tier["input_usd"] is None:
        yield "no price is known"
    else:
        into, out = dollars(tier["input_usd"]), dollars(tier["output_usd"])
        yield f"{into} in and {out} out a million tokens"
    limits = (("rpm", "requests"), ("itpm", "tokens in"), ("otpm", "tokens out"))
    said = [f"{count(tier[name])} {words}" for name, words in limits if tier[name] is not None]
    yield f"{', '.join(said)} a minute" if said else "no limit a minute"
    yield f"{tier['max_in_flight']} calls in flight in each worker"


def _cap(cap: Any) -> str:
    return "no limit" if cap is None else dollars(cap)
