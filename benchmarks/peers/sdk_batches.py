"""The script that one writes for batches: the SDK, one batch of everything, a file of answers.

`python -m benchmarks.peers.sdk_batches URL OUTPUT`, requests on standard input. A second start
knows nothing of the first.
"""

import json
import sys
import time
from pathlib import Path

import anthropic

LOOK_EVERY_S = 1.0


def main() -> None:
    """Creates, waits, reads."""
    url, output = sys.argv[1], Path(sys.argv[2])
    asked = [
        {"custom_id": f"r{number}", "params": json.loads(line)}
        for number, line in enumerate(sys.stdin)
    ]
    with anthropic.Anthropic(api_key="sk-simulated", base_url=url) as client:
        batch = client.messages.batches.create(requests=asked)  # type: ignore[arg-type]
        while client.messages.batches.retrieve(batch.id).processing_status != "ended":
            time.sleep(LOOK_EVERY_S)
        with output.open("w", encoding="utf-8") as file:
            for one in client.messages.batches.results(batch.id):
                file.write(one.model_dump_json() + "\n")


if __name__ == "__main__":
    main()
