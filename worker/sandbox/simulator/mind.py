"""How hard a message is and how sure a model would be: made up, plausible, and always the same.

Everything follows from a hash of seed and text, so a run can be repeated to the letter. None of
it says anything about real models.
"""

import hashlib
import re
from dataclasses import dataclass

MESSAGE = re.compile(
    r"<customer_message(_[0-9a-f]+)?(?: id=\"([^\"]*)\")?>\n?(.*?)\n?</customer_message\1?>",
    re.DOTALL,
)
GRAVE = re.compile(
    r"\b(lawyer|attorney|legal|sue|court|fraud\w*|stolen|theft|identity|regulator\w*|ombudsman|"
    r"cfpb|fcra|u\.?s\.?c\.?|statute|violat\w+|harass\w*|discriminat\w*|scam\w*|threat\w*|police|"
    r"fair credit|section \d+)\b",
    re.IGNORECASE,
)
TANGLED = re.compile(
    r"\b(but|however|although|because|also|again|still|twice|complain\w*|dispute\w*|refus\w*|"
    r"unacceptable|months?|weeks?|escalat\w*|already|charged|denied|unauthori[sz]ed)\b",
    re.IGNORECASE,
)
FAMILIES = ("haiku", "sonnet", "opus")
SURE: dict[str, tuple[float, float, float]] = {
    "haiku": (0.95, 0.55, 0.20),
    "sonnet": (0.985, 0.88, 0.60),
    "opus": (0.995, 0.96, 0.86),
}
"""Chance of a sure answer by family, for simple, moderate and complex messages."""


@dataclass(frozen=True, slots=True)
class Mood:
    """What the text does to the simulated mind: difficulty 0, 1 or 2, and a number to draw from."""

    difficulty: int
    seed: str

    def draw(self, what: str) -> float:
        """A number from 0 to 1 that depends on seed, text and `what` alone."""
        digest = hashlib.blake2b(f"{self.seed}|{what}".encode(), digest_size=8).digest()
        return int.from_bytes(digest, "big") / 2**64


def family_of(model: str) -> str:
    """`haiku`, `sonnet` or `opus`; anything else thinks like opus."""
    return next((name for name in FAMILIES if name in model), "opus")


def customer_text(user_text: str) -> str:
    """The customer's words, from between their delimiters where there are any."""
    found = MESSAGE.search(user_text)
    return found[3] if found else user_text


def several(user_text: str) -> list[tuple[str, str]]:
    """Id and words of each message of a request that holds several; empty for all others."""
    return [(key, words) for _, key, words in MESSAGE.findall(user_text) if key]


def read(seed: int, text: str) -> Mood:
    """The latent difficulty of a text. On a support backlog about 78 % come out simple."""
    digest = hashlib.blake2b(f"{seed}|{text}".encode("utf-8", "replace"), digest_size=12)
    plain = Mood(0, digest.hexdigest())
    words = len(text.split())
    score = (
        min(words / 60, 3.0)
        + 1.2 * min(len(GRAVE.findall(text[:20_000])), 3)
        + 0.25 * min(len(TANGLED.findall(text[:20_000])), 6)
        + 0.3 * max(text.count("?") - 1, 0)
        + (plain.draw("noise") - 0.5) * 1.2
    )
    return Mood(0 if score < 0.95 else 1 if score < 4.6 else 2, plain.seed)


def is_sure(mood: Mood, model: str) -> bool:
    """Whether this model would be confident of its answer."""
    return mood.draw(f"sure {family_of(model)}") < SURE[family_of(model)][mood.difficulty]


def confidence(mood: Mood, model: str) -> float:
    """From 0.75 to 0.99 when sure, 0.2 to 0.6 when not."""
    spread = mood.draw(f"confidence {family_of(model)}")
    low, high = (0.75, 0.99) if is_sure(mood, model) else (0.2, 0.6)
    return round(low + (high - low) * spread, 2)
