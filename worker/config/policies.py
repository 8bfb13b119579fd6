"""Finds a policy by name: a preset, or one of `[policies]` in the configuration."""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from pydantic import TypeAdapter, ValidationError

from worker.config.embedders import embedder_names, own_embedders
from worker.config.loading import sentence
from worker.config.lookups import lookup_names, missing_databases, own_lookups
from worker.config.own_code import names_beside
from worker.config.retrievers import own_retrievers, retriever_names
from worker.config.settings import Settings
from worker.config.validators import load_validators
from worker.domain.context import ROW, THREAD
from worker.domain.judgement import REASONS
from worker.domain.own_schemas import schema_complaints
from worker.domain.policy import Policy, complaints
from worker.domain.policy_documents import from_document, to_document
from worker.domain.presets import PRESETS, SINGLE, preset
from worker.domain.validation import BUILTIN, Validator
from worker.domain.validation.builtin import option_complaints
from worker.domain.validation.patterns import complaint
from worker.domain.wording import did_you_mean, nearest_name
from worker.errors import ConfigurationError

EXTENDS = "extends"
SCHEMA = TypeAdapter(Policy)


def policy_named(settings: Settings, name: str | None = None) -> Policy:
    """The policy `name`, or the configured default. Raises ConfigurationError in sentences."""
    name = name or settings.policy.preset
    if name in settings.policies:
        return _own(settings, name, settings.policies[name])
    try:
        return preset(name, settings.ladder)
    except KeyError:
        names = policy_names(settings)
        near = nearest_name(name, names)
        hint = f" Did you mean {near}?" if near else ""
        raise ConfigurationError(
            f"There is no policy called {name!r}.{hint} There are: {', '.join(names)}.",
            mend="take one of those, or add it to rung.toml under [policies]",
        ) from None


def policy_names(settings: Settings) -> list[str]:
    """Every name that `policy_named` knows."""
    return [*PRESETS, *(SINGLE + tier for tier in settings.tiers), *settings.policies]


def check_policies(settings: Settings) -> list[str]:
    """What is wrong with the default policy, those in the configuration and those that schedules
    name, as sentences."""
    problems = []
    for where, name in _named(settings):
        try:
            policy_named(settings, name)
        except ConfigurationError as error:
            own = name in settings.policies
            problems += error.problems if own else [f"{where}: {one}" for one in error.problems]
    for load in (
        lambda: own_lookups(settings.lookups),
        lambda: own_retrievers(settings.retrievers),
        lambda: own_embedders(settings.embedders),
        lambda: load_validators(settings),
    ):
        try:
            load()
        except ConfigurationError as error:
            problems += error.problems
    return list(dict.fromkeys([*problems, *missing_databases(settings.lookups)]))


def _named(settings: Settings) -> Iterator[tuple[str, str]]:
    """Every policy that the configuration names, and where."""
    yield "policy.preset", settings.policy.preset
    for name in settings.policies:
        yield f"policies.{name}", name
    for name, night in settings.schedule.items():
        if night.policy is not None:
            yield f"schedule.{name}.policy", night.policy


def _own(settings: Settings, name: str, document: Mapping[str, Any]) -> Policy:
    """A policy of one's own: what it `extends` (the ladder preset by default), overlaid."""
    merged = _merged(settings, (name,), document) | {"name": name}
    try:
        policy = from_document(merged)
    except ValidationError as error:
        raise ConfigurationError(
            [sentence(dict(e), f"policies.{name}", SCHEMA.json_schema()) for e in error.errors()]
        ) from None
    if problems := complaints(policy) + _unusable(settings, policy):
        raise ConfigurationError(problems)
    return policy


def _merged(
    settings: Settings, above: tuple[str, ...], document: Mapping[str, Any]
) -> dict[str, Any]:
    """A policy's document laid over that of what it extends; `above` are the names that led here,
    its own last. A preset comes first: one's own `ladder` extends the one that it replaces."""
    name, base_name = above[-1], str(document.get(EXTENDS, "ladder"))
    own = {key: value for key, value in document.items() if key != EXTENDS}
    if isinstance(accept := own.get("accept"), Mapping) and "in_force" in accept:
        raise ConfigurationError(
            f"policies.{name}.accept.in_force cannot be written by hand: name a"
            " certificate's number as accept.certificate."
        )
    return _overlay(_base(settings, above, base_name), own)


def _base(settings: Settings, above: tuple[str, ...], wanted: str) -> dict[str, Any]:
    """The document of what a policy extends: a preset, or another of one's own."""
    try:
        return to_document(preset(wanted, settings.ladder))
    except KeyError:
        pass
    if wanted in above:
        circle = " → ".join((*above[above.index(wanted) :], wanted))
        raise ConfigurationError(f"policies.{wanted}.extends leads back to itself: {circle}.")
    if wanted not in settings.policies:
        raise ConfigurationError(
            f"policies.{above[-1]}.extends is {wanted!r}; it must be a preset"
            f" ({', '.join(PRESETS)} or {SINGLE}TIER) or another of [policies]"
            f"{did_you_mean(wanted, policy_names(settings))}"
        )
    return _merged(settings, (*above, wanted), settings.policies[wanted])


def _unusable(settings: Settings, policy: Policy) -> list[str]:
    """Validators that are not there or not understood, reasons that nothing gives, regular
    expressions that are none, and schemas that Claude would refuse."""
    known = load_validators(settings)
    found = [
        *_validator_complaints(policy, known),
        *_reason_complaints(policy, known),
        *_lookup_name_complaints(settings, policy),
        *_retriever_complaints(settings, policy),
        *_prompt_complaints(policy),
        *(f"accept.answer_schema {words}." for words in schema_complaints(policy.accept)),
    ]
    patterns = [(f"rule {rule.name!r}", rule.pattern) for rule in policy.start.rules]
    for use in policy.accept.validators:
        given = use.options.get("patterns", ())
        patterns += [(f"validator {use.name!r}", p) for p in given if isinstance(p, str)]
    for where, pattern in patterns:
        if pattern is not None and (problem := complaint(pattern)):
            found.append(f"the pattern of {where} is wrong: {problem}.")
    return [f"policy {policy.name!r}: {words}" for words in found]


def _prompt_complaints(policy: Policy) -> Iterator[str]:
    if policy.prompts is None:
        return
    folder = Path(policy.prompts)
    if not folder.is_dir():
        near = did_you_mean(folder.name, names_beside(folder))
        yield f"prompts names {folder}, and there is no such folder{near}"
    elif not (folder / "answer.md").is_file():
        yield f"prompts names {folder}, and there is no answer.md in it."


def _lookup_name_complaints(settings: Settings, policy: Policy) -> Iterator[str]:
    if not policy.context.lookups:
        return
    known = lookup_names(settings.lookups)
    for name in policy.context.lookups:
        if name not in known:
            there = _close(name, list(known)) if known else "; none is configured."
            yield f"context.lookups names {name!r}, and there is no such look-up{there}"
        elif name in (ROW, THREAD):
            yield f"a look-up cannot be called {name!r}, as another part of the context is."


def _retriever_complaints(settings: Settings, policy: Policy) -> Iterator[str]:
    name, known = policy.context.retriever, retriever_names(settings.retrievers)
    embedders = embedder_names(settings.embedders)
    if name in known & embedders:
        yield f"context.retriever names {name!r}, which is a retriever and an embedder."
    known |= embedders
    if name is not None and name not in known:
        there = _close(name, list(known)) if known else "; none is configured."
        yield f"context.retriever names {name!r}, and there is no such retriever{there}"


def _validator_complaints(policy: Policy, known: Mapping[str, Validator]) -> Iterator[str]:
    for use in policy.accept.validators:
        if use.name not in known:
            yield f"no validator is {use.name!r}{_close(use.name, list(known))}"
        elif known[use.name] is BUILTIN.get(use.name):
            for words in option_complaints(use.name, use.options):
                yield f"validator {use.name!r} {words}."


def _reason_complaints(policy: Policy, known: Mapping[str, Validator]) -> Iterator[str]:
    """A reason that is misspelt would lead nowhere, and nobody would notice."""
    reasons = [*REASONS, *known]
    for reason in policy.climb.by_reason:
        family = reason.partition(":")[0]
        if family not in reasons:
            yield f"climb.by_reason names {reason!r}, and no reason is{_close(family, reasons)}"


def _close(name: str, known: list[str]) -> str:
    near = nearest_name(name, known)
    return f"; did you mean {near}?" if near else f"; there are {', '.join(sorted(known))}."


def _overlay(base: Mapping[str, Any], own: Mapping[str, Any]) -> dict[str, Any]:
    """Tables are merged, everything else is replaced."""
    merged = dict(base)
    for key, value in own.items():
        known = merged.get(key)
        merged[key] = (
            _overlay(known, value)
            if isinstance(known, Mapping) and isinstance(value, Mapping)
            else value
        )
    return merged
