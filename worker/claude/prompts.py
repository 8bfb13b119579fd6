"""The prompts: read from a directory, known by the hash of what they say.

`answer.md` and the pages of `knowledge/` make the answering prompt; `classify.md`, `check.md` and
`judge.md` are the others. The customer's words are data: they stand behind a fence that is new for
each request, and that they cannot close (`domain/fence`).
"""

from collections.abc import Sequence
from importlib.resources import files
from pathlib import Path

from models.vocabulary import Purpose
from worker.config.settings import Settings
from worker.domain.context import NO_CONTEXT, MessageContext
from worker.domain.fence import REPLY_DELIMITER, defused, fence, nonce
from worker.domain.messages import MessageText
from worker.domain.pages import without_front
from worker.domain.passages import cut, rendered
from worker.domain.policy import Policy
from worker.domain.prompts import JUDGE, KNOWLEDGE, Prompts, prompt
from worker.errors import ConfigurationError

EACH_BY_ITSELF = (
    "Label each of these messages by itself, whatever the others say: one entry for each id."
)


def load_prompts(directory: Path | None, otherwise: Path | None = None) -> Prompts:
    """The prompts. Raises ConfigurationError naming the file that is missing or empty. A directory
    without a `judge.md` has the one that comes with Rung; with `otherwise`, the directory of the
    installation, all but `answer.md` may be left to that."""
    root = directory or default_directory()
    pages = {page.stem: _read(page) for page in sorted((root / "knowledge").glob("*.md"))}
    knowledge = rendered(
        [passage for name in pages for passage in cut(name, without_front(pages[name])[1])]
    )

    def read(name: str, spare: Path | None) -> str:
        own = root / name
        return _read(own if spare is None or own.exists() else spare / name)

    answer = _read(root / "answer.md") + (KNOWLEDGE + knowledge if knowledge else "")
    judges = otherwise if otherwise and (otherwise / "judge.md").exists() else default_directory()
    return {
        Purpose.CLASSIFY: prompt(Purpose.CLASSIFY, read("classify.md", otherwise)),
        Purpose.ANSWER: prompt(Purpose.ANSWER, answer),
        Purpose.CHECK: prompt(Purpose.CHECK, read("check.md", otherwise)),
        JUDGE: prompt(Purpose.ANSWER, read("judge.md", judges)),
    }


def prompts_of(settings: Settings, policy: Policy) -> Prompts:
    """Those of the policy's own folder, or of the installation: as they are on disk now."""
    if policy.prompts is None:
        return load_prompts(settings.prompts.dir)
    return load_prompts(Path(policy.prompts), settings.prompts.dir or default_directory())


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
