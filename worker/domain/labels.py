"""Labels of several messages in one answer, each checked by its message's id."""

import json
from collections.abc import Sequence
from typing import Any

from worker.domain.answers import USABLE_STOPS, ModelAnswer, parse_object

NO_ENTRY = "{}"
MAX_LABEL_CHARS = 100


def entries_of(answer: ModelAnswer, keys: Sequence[str]) -> dict[str, str]:
    """The entry of each of `keys` as JSON, and `{}` where the answer has none of it or two. Ids
    that were not asked for are passed over. An answer that was cut short has no entries."""
    document = parse_object(answer.text) if answer.stop_reason in USABLE_STOPS else None
    labels: Any = document.get("labels") if document is not None else None
    found: dict[str, list[str]] = {key: [] for key in keys}
    for entry in labels if isinstance(labels, list) else ():
        if isinstance(entry, dict) and (key := str(entry.get("id"))) in found:
            said = str(entry.get("difficulty"))[:MAX_LABEL_CHARS]
            found[key].append(json.dumps({"id": key, "difficulty": said}))
    return {key: said[0] if len(said) == 1 else NO_ENTRY for key, said in found.items()}
