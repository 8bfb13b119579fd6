"""What a value of a row says, as text: lists one below the other, documents a paragraph a line."""

from collections.abc import Iterable, Mapping
from typing import Any


def joined(values: Iterable[Any]) -> Any:
    """One value as it is; several as text with a blank line between."""
    there = [value for value in values if value not in (None, "", [])]
    if len(there) <= 1:
        return there[0] if there else None
    return JOINT.join(str(as_text(value) or "") for value in there)


def as_text(value: Any) -> Any:
    """Text out of what holds text: elements of a list one below the other, and the documents in
    which Atlassian's products keep what was typed. Anything else as it is."""
    if isinstance(value, list) and value:
        texts = [as_text(inner) for inner in value]
        if all(isinstance(inner, str) for inner in texts):
            return JOINT.join(inner for inner in texts if inner)
    if isinstance(value, Mapping) and value.get("type") == "doc":
        content = value.get("content")
        if isinstance(content, list):
            return _typed(content).strip()
    return value


_ENDS_A_LINE = frozenset(
    {"paragraph", "heading", "hardBreak", "listItem", "codeBlock", "tableRow", "bulletList"}
    | {"orderedList", "table", "blockquote", "panel", "expand", "taskItem", "decisionItem", "rule"}
)
_CELLS = frozenset({"tableCell", "tableHeader"})
_DEEPEST = 50


def _typed(nodes: list[Any], depth: int = 0) -> str:
    """The text of such a document's nodes, a paragraph a line."""
    pieces = []
    for node in nodes if depth < _DEEPEST else []:
        if not isinstance(node, Mapping):
            continue
        text, content = node.get("text"), node.get("content")
        attributes = node.get("attrs")
        if isinstance(text, str):
            pieces.append(text)
        elif isinstance(attributes, Mapping):
            shown = attributes.get("text") or attributes.get("url")
            pieces.append(shown if isinstance(shown, str) else "")
        if isinstance(content, list):
            pieces.append(_typed(content, depth + 1).rstrip("\n"))
        if node.get("type") in _ENDS_A_LINE:
            pieces.append("\n")
        elif node.get("type") in _CELLS:
            pieces.append("\t")
    return "".join(pieces)


JOINT = "\n\n"
