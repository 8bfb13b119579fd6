"""What the configuration names outside itself and nothing else asks for at the start: folders of
pages, and models. Each a sentence, with the nearest name where one is near."""

from collections.abc import Iterator
from pathlib import Path

from worker.config.knowledge import place_of
from worker.config.own_code import names_beside
from worker.config.policies import policy_named
from worker.config.settings import Settings, default_tiers
from worker.domain.wording import did_you_mean


def missing_folders(settings: Settings) -> dict[str, str]:
    """Folders of pages that policies name and that do not lie beside `rung.toml`: a sentence for
    each."""
    found = dict[str, str]()
    for policy in (settings.policy.preset, *settings.policies):
        for folder in policy_named(settings, policy).knowledge:
            place = place_of(folder)
            if folder not in found and not place.is_dir():
                beside = (str(Path(folder).parent / name) for name in names_beside(place))
                what = "which is no folder" if place.exists() else "and there is no such folder"
                found[folder] = (
                    f"policy {policy!r}: knowledge names {folder}, {what} ({place})"
                    f"{did_you_mean(folder, (name for name in beside if name != folder))}"
                )
    return found


def unasked_prices(settings: Settings) -> Iterator[str]:
    """Prices of models that no tier asks, where a tier's model has nearly that name."""
    models = {tier.model for tier in settings.tiers.values()}
    for model in settings.prices:
        near = did_you_mean(model, models)
        if model not in models and near != ".":
            yield f"prices.{model!r} is the price of a model that no tier asks{near}"


def known_like(settings: Settings, model: str) -> str:
    """The end of a sentence about a model without a price: the nearest that has one."""
    priced = {*settings.prices, *(tier.model for tier in default_tiers().values())}
    return did_you_mean(model, priced)
