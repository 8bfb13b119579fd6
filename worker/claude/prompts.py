"""The prompts: read from a directory, known by the hash of what they say.

`answer.md` and the pages of `knowledge/` make the answering prompt; `classify.md`, `check.md` and
`judge.md` are the others. The customer's words are data: they stand behind a fence that is new for
each request, and that they cannot close (`domain/fence`).
"""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from importlib.resources import files
from pathlib import Path
from typing import Any

from models.vocabulary import Purpose
from worker.domain.caching import Lifetime
from worker.domain.context import NO_CONTEXT, MessageContext
from worker.domain.fence import REPLY_DELIMITER, defused, fence, nonce
from worker.domain.messages import MessageText
from worker.domain.pages import without_front
from worker.domain.passages import cut, rendered, rendered_in
from worker.domain.shown import Shown
from worker.errors import ConfigurationError

MIN_CACHED_TOKENS = 512
"""Shorter prefixes are silently not cached by Haiku 5.5 and Sonnet 5.5 (November 2026)."""
CHARS_PER_TOKEN = 4.5
"""Deliberately high for English prose, so that a prefix said to be cacheable is."""

JUDGE = "judge"
"""The prompt of a stronger tier that judges answers: asked as an answer is, of another text."""
KNOWLEDGE = "\n\n# Knowledge\n\n"
"""Between the instructions and the knowledge pages."""

EACH_BY_ITSELF = (
    "Label each of these messages by itself, whatever the others say: one entry for each id."
)


@dataclass(frozen=True, slots=True)
class Prompt:
    """The fixed prefix of every request of one purpose."""

    purpose: Purpose
    text: str
    version: str

    @property
    def size_bytes(self) -> int:
        """Bytes of UTF-8."""
        return len(self.text.encode())

    @property
    def instructions(self) -> str:
        """The text without the knowledge pages: what a reply must not repeat."""
        return instructions_of(self.text)

    @property
    def shown(self) -> tuple[Shown, ...]:
        """The knowledge pages, in the pieces that an answer can name."""
        return shown_in(self.text)

    @property
    def tokens(self) -> int:
        """About as many, and rather fewer than more."""
        return int(len(self.text) / CHARS_PER_TOKEN)

    @property
    def cacheable(self) -> bool:
        """Whether the prefix is long enough for a cache breakpoint to do anything."""
        return self.tokens >= MIN_CACHED_TOKENS

    def system(self, lifetime: Lifetime = Lifetime.FIVE_MINUTES) -> list[dict[str, Any]]:
        """The `system` blocks of a request: the same objects each time, not to be changed."""
        return _system(self.text, lifetime if self.cacheable else Lifetime.NONE)


Prompts = Mapping[str, Prompt]
"""By purpose, and `JUDGE`."""


def load_prompts(directory: Path | None) -> Prompts:
    """The prompts. Raises ConfigurationError naming the file that is missing or empty; a directory
    without a `judge.md` has the one that comes with Rung."""
    root = directory or default_directory()
    pages = {page.stem: _read(page) for page in sorted((root / "knowledge").glob("*.md"))}
    knowledge = rendered(
        [passage for name in pages for passage in cut(name, without_front(pages[name])[1])]
    )
    answer = _read(root / "answer.md") + (KNOWLEDGE + knowledge if knowledge else "")
    texts = {
        Purpose.CLASSIFY: _read(root / "classify.md"),
        Purpose.ANSWER: answer,
        Purpose.CHECK: _read(root / "check.md"),
    }
    prompts: dict[str, Prompt] = {
        purpose: Prompt(purpose, text, _version(text)) for purpose, text in texts.items()
    }
    own = root / "judge.md"
    judging = _read(own if own.exists() else default_directory() / "judge.md")
    return prompts | {JUDGE: Prompt(Purpose.ANSWER, judging, _version(judging))}


@lru_cache(maxsize=64)
def _system(text: str, lifetime: Lifetime) -> list[dict[str, Any]]:
    block: dict[str, Any] = {"type": "text", "text": text}
    if lifetime is not Lifetime.NONE:
        block["cache_control"] = {"type": "ephemeral"}
    if lifetime is Lifetime.HOUR:
        block["cache_control"]["ttl"] = "1h"
    return [block]


def instructions_of(text: str) -> str:
    """The part of an answering prompt that stands before its knowledge pages."""
    return text.partition(KNOWLEDGE)[0]


@lru_cache(maxsize=16)
def shown_in(text: str) -> tuple[Shown, ...]:
    """The knowledge of an answering prompt as what was shown."""
    knowledge = text.partition(KNOWLEDGE)[2]
    if not knowledge:
        return ()
    # Prompts on record from before passages had ids hold their pages as they were.
    return rendered_in(knowledge) or (Shown(id="knowledge", text=knowledge),)


def default_directory() -> Path:
    """The example company's prompts: beside a checkout, or inside an installed package."""
    checkout = Path(__file__).parents[2] / "examples" / "support"
    return checkout if checkout.is_dir() else Path(str(files("worker"))) / "examples" / "support"


def fenced(
    message: MessageText,
    key: str | None = None,
    attributes: str = "",
    context: MessageContext = NO_CONTEXT,
) -> str:
    """The customer's message as the model gets it, behind the request's nonce or a new one, and in
    front of it what is known beside."""
    key = key or nonce()
    lines = [
        f"{label}: {defused(value)}"
        for label, value in (
            ("Channel", message.channel),
            ("Language", message.language),
            ("Subject", message.subject),
        )
        if value
    ]
    head = "\n".join(lines) + "\n\n" if lines else ""
    said = fence(f"{head}{defused(message.body)}", key, attributes=attributes)
    return f"{context.fenced(key)}\n\n{said}" if context else said


def fenced_many(messages: Sequence[tuple[str, MessageText]]) -> str:
    """Several messages to be labelled in one request, each under its id."""
    key = nonce()
    together = "\n\n".join(fenced(message, key, f' id="{id_}"') for id_, message in messages)
    return f"{together}\n\n{EACH_BY_ITSELF}"


def fenced_reply(message: MessageText, reply: str, context: MessageContext = NO_CONTEXT) -> str:
    """A message and the reply to be rated, for the separate confidence check."""
    key = nonce()
    said = fenced(message, key, context=context)
    return f"{said}\n\n{fence(defused(reply), key, REPLY_DELIMITER)}"


def _version(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()[:12]


def _read(path: Path) -> str:
    try:
        text = path.read_text("utf-8").strip()
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigurationError(
            f"The prompt {path} cannot be read: {error}.",
            mend="set prompts.dir in rung.toml to a directory that holds the three prompts",
        ) from None
    if not text:
        raise ConfigurationError(f"The prompt {path} is empty.")
    return text
