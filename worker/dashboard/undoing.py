"""What was done, in a sentence, and the address that takes it back. Pure."""

from collections.abc import Mapping
from typing import Any


def said(event: Mapping[str, Any]) -> str:
    """`Paused haiku.`"""
    return f"{event['action']} {event['target']}: {event['affected']}"


def undo_address(event: Mapping[str, Any]) -> str | None:
    """Where a preview of the opposite is; None when there is no way back."""
    return None
