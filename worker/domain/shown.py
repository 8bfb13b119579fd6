"""What the model was shown beside the customer's words, in pieces that an answer can name."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Shown:
    """A passage of knowledge, or a piece of context: columns, an earlier turn, a look-up's row."""

    id: str
    """What an answer names it by: `cards#2-lost`, `context:orders`. A passage's page is the part
    before the `#`."""
    text: str
    passage: bool = True
    """Of knowledge. Facts of a passage count where it is cited; those of context always do."""
    language: str | None = None
    """Whose notation its numbers are in; None where it was not said."""

    @property
    def page(self) -> str:
        """The id of the page that the passage was cut from."""
        return self.id.partition("#")[0]
