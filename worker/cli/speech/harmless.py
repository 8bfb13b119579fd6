"""A rich console through which no data controls the terminal, whoever forgot to see to it."""

from collections.abc import Iterable

from rich.console import Console
from rich.segment import Segment

from worker.domain.text import terminal_safe


class HarmlessConsole(Console):
    """Control characters in any text are shown as escapes. Rich's own, and its colours, are no
    text and go through."""

    def on_broken_pipe(self) -> None:
        """Nobody reads any more, which is no failure: rich would end the process with 1."""
        raise BrokenPipeError

    def _render_buffer(self, buffer: Iterable[Segment]) -> str:
        safe = [
            segment if segment.control else segment._replace(text=terminal_safe(segment.text))
            for segment in buffer
        ]
        return super()._render_buffer(safe)
