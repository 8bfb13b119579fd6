"""`batchlane` with its checkpoint, under an interpreter that has it: it needs litellm, which Rung
does not, so it is in no lock of ours.

`PYTHON benchmarks/peers/batchlane_run.py URL OUTPUT`, requests on standard input. It knows one
address of Claude, by a constant, and takes no schema that its translation does not know: it asks
for the same words and for no shape.
"""

import json
import os
import sys
from pathlib import Path
from typing import Any


def main() -> None:
    """Submits what its checkpoint does not know yet, waits, reads."""
    os.environ["LITELLM_LOCAL_MODEL_COST_MAP"] = "True"  # It would ask GitHub, and wait for it.
    import batchlane
    from batchlane.adapters import anthropic as adapter

    url, output = sys.argv[1], Path(sys.argv[2])
    os.environ["ANTHROPIC_API_KEY"] = "sk-simulated"
    adapter.BASE_URL = f"{url}/v1/messages/batches"
    lines = [
        batchlane.BatchLine(
            f"r{number}",
            f"anthropic/{request['model']}",
            said(request),
            {"max_tokens": request["max_tokens"]},
        )
        for number, request in enumerate(map(json.loads, sys.stdin))
    ]
    checkpoint = str(output.with_suffix(".checkpoint"))
    with output.open("w", encoding="utf-8") as file:
        for line, result in batchlane.run(lines, checkpoint=checkpoint, poll_interval=1.0):
            file.write(json.dumps([line.custom_id, result.response]) + "\n")


def said(request: dict[str, Any]) -> list[dict[str, Any]]:
    """The request's messages, with its system prompt as the first of them."""
    system = "\n\n".join(part["text"] for part in request.get("system", ()))
    return [{"role": "system", "content": system}, *request["messages"]]


if __name__ == "__main__":
    main()
