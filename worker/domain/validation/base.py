"""What a validator sees, what it says, and how a list of them is run."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from worker.domain.context import NO_CONTEXT, MessageContext
from worker.domain.messages import MessageText
from worker.domain.policy import Severity, ValidatorUse
from worker.domain.shown import Shown
from worker.domain.text import storable


@dataclass(frozen=True, slots=True, kw_only=True)
class Draft:
    """An answer that may become a result: the reply, the whole structured answer, the message."""

    reply: str
    document: Mapping[str, Any]
    schema: Mapping[str, Any]
    message: MessageText
    instructions: str = ""
    """Our own instructions to the model, without the knowledge pages."""
    context: MessageContext = NO_CONTEXT
    """What the model was shown beside the message."""
    knowledge: tuple[Shown, ...] = ()
    """What stands in the prompt for everybody, in the pieces that an answer can name."""


@dataclass(frozen=True, slots=True)
class Finding:
    """What a validator found; `reject` findings make an answer climb, `warn` ones are shown."""

    validator: str
    severity: Severity
    finding: str


OVERRAN = "took longer than"
"""In every finding that a clock made. A replay takes these from the record: another machine, or the
same one at another hour, would have been faster."""
MAX_FINDING_CHARS = 300

Validator = Callable[[Draft, Mapping[str, Any]], str | None]


def findings_of(
    uses: Iterable[ValidatorUse], draft: Draft, registry: Mapping[str, Validator]
) -> tuple[Finding, ...]:
    """Findings of every validator in use, in order. One that raises is a finding, not a crash."""
    found = []
    for use in uses:
        said = _run(registry.get(use.name), use, draft)
        if said is not None:
            found.append(Finding(use.name, use.severity, said))
    return tuple(found)


def _run(validator: Validator | None, use: ValidatorUse, draft: Draft) -> str | None:
    if validator is None:
        return "this validator is not installed here"
    try:
        said = validator(draft, use.options)
        return None if said is None else storable(str(said))[:MAX_FINDING_CHARS]
    except Exception as error:
        # The error's text may hold the customer's words: only its kind is kept.
        return f"the validator failed with {type(error).__name__}"
