"""Policies and ladders of one's own: found by name, and refused in sentences."""

import json
from pathlib import Path
from typing import Any

import pytest

from worker.config.loading import load_settings
from worker.config.policies import check_policies, policy_named, policy_names
from worker.config.settings import Settings
from worker.domain.policy import Policy
from worker.domain.policy_documents import from_document, to_document, version_of
from worker.domain.presets import PRESETS
from worker.errors import ConfigurationError


def configured(directory: Path, toml: str) -> Settings:
    (directory / "rung.toml").write_text(toml)
    return load_settings({}, directory)


def complaint(directory: Path, toml: str) -> list[str]:
    return check_policies(configured(directory, toml))


@pytest.mark.parametrize("name", [*PRESETS, "single:haiku", "single:sonnet", "single:opus"])
def test_every_preset_is_known_by_name_and_survives_its_document(name: str) -> None:
    found = policy_named(Settings(), name)
    again = from_document(json.loads(json.dumps(to_document(found))))
    assert (found.name, again, version_of(again)) == (name, found, version_of(found))


def test_the_presets_are_what_they_are_called() -> None:
    shapes = {
        name: (p.start.otherwise, p.accept.confidence, p.climb.otherwise, p.ladder)
        for name in (*PRESETS, "single:sonnet")
        for p in [policy_named(Settings(), name)]
    }
    whole = ("haiku", "sonnet", "opus")
    assert shapes == {
        "ladder": ("classify", "inline", "next", whole),
        "escalate": ("haiku", "separate", "next", whole),
        "route": ("classify", "off", "person", whole),
        "fallback": ("haiku", "off", "next", whole),
        "single:sonnet": ("sonnet", "off", "person", ("sonnet",)),
    }


def test_only_what_differs_has_to_be_said(tmp_path: Path) -> None:
    settings = configured(
        tmp_path,
        '[policies.mine]\nextends = "escalate"\n[policies.mine.accept]\nthreshold = 0.9\n'
        "thresholds = { opus = 0.5 }\n[policies.mine.climb]\nmax_attempts = 3\n",
    )
    mine, base = policy_named(settings, "mine"), policy_named(settings, "escalate")
    assert (mine.name, mine.start, mine.ladder) == ("mine", base.start, base.ladder)
    assert (mine.accept.confidence, mine.climb.max_attempts) == ("separate", 3)
    assert [float(mine.accept.threshold_at(tier)) for tier in mine.ladder] == [0.9, 0.9, 0.5]
    assert mine.climb.by_reason == base.climb.by_reason
    assert policy_names(settings)[-1] == "mine"


def test_a_policy_may_extend_another_of_ones_own(tmp_path: Path) -> None:
    settings = configured(
        tmp_path,
        '[policies.ladder]\nextends = "ladder"\n[policies.ladder.climb]\nmax_attempts = 2\n'
        '[policies.a]\nextends = "escalate"\n[policies.a.accept]\nthreshold = 0.9\n'
        '[policies.b]\nextends = "a"\n[policies.b.climb]\nmax_attempts = 3\n',
    )
    b = policy_named(settings, "b")
    assert (b.name, b.accept.confidence, float(b.accept.threshold)) == ("b", "separate", 0.9)
    assert [policy_named(settings, n).climb.max_attempts for n in ("b", "ladder")] == [3, 2]


def test_policies_that_extend_one_another_are_refused_by_name(tmp_path: Path) -> None:
    found = complaint(
        tmp_path,
        '[policies.p]\nextends = "q"\n[policies.q]\nextends = "r"\n[policies.r]\nextends = "q"\n',
    )
    assert found == [
        "policies.q.extends leads back to itself: q → r → q.",
        "policies.r.extends leads back to itself: r → q → r.",
    ]


@pytest.mark.parametrize("height", [2, 3, 4, 5])
def test_the_ladder_is_configuration(tmp_path: Path, height: int) -> None:
    names = ["zeta", "alpha", "mid", "beta", "omega"][:height]
    settings = configured(tmp_path, "".join(f'[tiers.{n}]\nmodel = "m-{n}"\n' for n in names))
    for preset in PRESETS:
        assert list(policy_named(settings, preset).ladder) == names
    assert policy_named(settings, f"single:{names[-1]}").ladder == (names[-1],)
    assert settings.routing_tier == "zeta"


@pytest.mark.parametrize(
    ("toml", "sentence"),
    [
        (
            '[policies.p]\nextends = "laddder"\n',
            "policies.p.extends is 'laddder'; it must be a preset (ladder, escalate, route,"
            " fallback or single:TIER) or another of [policies]; did you mean ladder?",
        ),
        ('[policies.p]\nextends = "p"\n', "policies.p.extends leads back to itself: p → p."),
        (
            '[policies.p.start]\notherwise = "titan"\n',
            "policy 'p': start.otherwise is 'titan'; it must be classify or one of haiku, sonnet,"
            " opus.",
        ),
        (
            '[[policies.p.start.rules]]\nname = "r"\npattern = "("\ntier = "opus"\n',
            "policy 'p': the pattern of rule 'r' is wrong: missing ) at position 1.",
        ),
        (
            '[policies.p.climb]\nby_reason = { schema = "upwards" }\n',
            "policy 'p': climb.by_reason.schema is 'upwards'; it must be next, top, again, person"
            " or one of haiku, sonnet, opus.",
        ),
        (
            "[policies.p.accept]\nthresholds = { titan = 0.5 }\n",
            "policy 'p': a tier of accept.thresholds is 'titan'; it must be one of haiku, sonnet,"
            " opus.",
        ),
        ("[policies.p.accept]\nthreshold = 1.5\n", "policies.p: accept.threshold: "),
        ('[policies.p.accept]\nconfidence = "maybe"\n', "policies.p: accept.confidence: "),
        ("[policies.p.climb]\nmax_attempts = 0\n", "policies.p: climb.max_attempts: "),
        ("[policies.p.start]\nclassify_batch = 21\n", "policies.p: start.classify_batch: "),
        ("[policies.p]\nstrat = 1\n", "policies.p: strat is not a setting; did you mean start?"),
        (
            "[policies.p.start]\nrules = [{ name = 'gold', critical = true }]\n",
            "policy 'p': rule 'gold' marks messages as critical, and nothing follows from it; set"
            ' climb.critical_low_confidence, to "top" for example.',
        ),
        (
            "[policies.p.climb]\nby_reason = { low_confidnce = 'top' }\n",
            "policy 'p': climb.by_reason names 'low_confidnce', and no reason is; did you mean"
            " low_confidence?",
        ),
        (
            '[[policies.p.accept.validators]]\nname = "length"\noptions = { max = 100 }\n',
            "policy 'p': validator 'length' knows no option 'max'; it knows min_chars, max_chars.",
        ),
        (
            '[[policies.p.accept.validators]]\nname = "links"\noptions = { allow = "a.example" }\n',
            "policy 'p': validator 'links' needs a list of texts as its option allow.",
        ),
        (
            '[[policies.p.accept.validators]]\nname = "must_match"\n',
            "policy 'p': validator 'must_match' finds nothing without its option patterns.",
        ),
        (
            "[[policies.p.accept.validators]]\nname = 'must_match'\n"
            "options = { patterns = ['('] }\n",
            "policy 'p': the pattern of validator 'must_match' is wrong: missing ) at position 1.",
        ),
        (
            "[policies.p.start]\nrules = [{ name = 'r', tier = 'opus' },"
            " { name = 'r', tier = 'haiku' }]\n",
            "policy 'p': two rules are called 'r'; a receipt could not tell them apart.",
        ),
        (
            '[[policies.p.accept.validators]]\nname = "lenght"\n',
            "policy 'p': no validator is 'lenght'; did you mean length?",
        ),
    ],
)
def test_what_is_wrong_is_said_in_a_sentence(tmp_path: Path, toml: str, sentence: str) -> None:
    (found,) = complaint(tmp_path, toml)
    assert found.startswith(sentence)
    assert found.endswith((".", "?"))


def own_schema(tmp_path: Path, confidence: str = "off", **changes: Any) -> list[str]:
    """What is said of a schema of one's own that is sound, but for these changes."""
    schema: dict[str, Any] = {
        "type": "object",
        "properties": {"reply": {"type": "string"}, "topic": {"enum": ["card", "loan"]}},
        "required": ["reply", "topic"],
        "additionalProperties": False,
    }
    policies = {"p": {"accept": {"confidence": confidence, "answer_schema": schema | changes}}}
    return check_policies(Settings.model_validate({"policies": policies}))


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"additionalProperties": True}, "needs additionalProperties = false at the schema"),
        ({"type": "array"}, 'must have type = "object"'),
        ({"required": ["topic"]}, 'needs a required property reply with type = "string"'),
        ({"type": "objekt"}, "is no JSON schema"),
        ({"confidence": "inline"}, "has no property confidence"),
        *(
            ({"properties": {"reply": {"type": "string"}, "topic": topic}}, words)
            for topic, words in [
                ({"type": "object", "properties": {}}, "additionalProperties = false at topic"),
                ({"type": "integer", "minimum": 0}, "says minimum at topic"),
                ({"anyOf": [{"type": "string", "maxLength": 3}]}, "says maxLength at anyOf"),
                ({"type": "string", "pattern": "("}, "topic/pattern: '(' is not a 'regex'"),
                ({"$ref": "#"}, "refers to itself at topic"),
            ]
        ),
    ],
)
def test_a_schema_that_claude_would_refuse_is_refused_before_anything_is_asked(
    tmp_path: Path, changes: dict[str, Any], words: str
) -> None:
    assert own_schema(tmp_path) == []
    (found,) = own_schema(tmp_path, **changes)
    assert found.startswith("policy 'p': accept.answer_schema ")
    assert words in found


def test_every_problem_is_told_at_once(tmp_path: Path) -> None:
    toml = (
        '[policies.a.start]\notherwise = "titan"\nunknown_label = "none"\n'
        '[policies.b]\nextends = "nothing"\n'
    )
    assert len(complaint(tmp_path, toml)) == 3


@pytest.mark.parametrize("names", [(), ("a", "b", "c", "d", "e", "f"), ("person", "b")])
def test_a_ladder_that_is_none_is_refused(tmp_path: Path, names: tuple[str, ...]) -> None:
    toml = "".join(f'[tiers.{name}]\nmodel = "m"\n' for name in names) or "tiers = {}\n"
    with pytest.raises(ConfigurationError, match="tiers"):
        configured(tmp_path, toml)


def test_the_same_rules_have_the_same_version_and_others_another() -> None:
    ladder: Policy = policy_named(Settings(), "ladder")
    document = to_document(ladder)
    document["accept"]["threshold"] = "0.71"
    assert version_of(from_document(to_document(ladder))) == version_of(ladder)
    assert version_of(from_document(document)) != version_of(ladder)
