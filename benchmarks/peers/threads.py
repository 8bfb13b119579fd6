"""The script that one writes next: a pool of threads, the SDK with its retries, a file of answers
that a second start goes on from.

`python -m benchmarks.peers.threads URL IN_FLIGHT OUTPUT`, requests on standard input.
"""

import json
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import anthropic


def main() -> None:
    """Reads, calls what has no answer yet, and appends each answer as it comes."""
    url, in_flight, output = sys.argv[1], int(sys.argv[2]), Path(sys.argv[3])
    requests = [json.loads(line) for line in sys.stdin]
    done = set[int]()
    if output.exists():
        done = {json.loads(line)[0] for line in output.read_text("utf-8").splitlines()}
    lock = threading.Lock()
    client = anthropic.Anthropic(api_key="sk-simulated", base_url=url)
    with client, output.open("a", encoding="utf-8") as file:

        def call(number: int, request: dict[str, Any]) -> None:
            message = client.messages.create(**request)
            line = json.dumps([number, message.model_dump(mode="json")])
            with lock:
                file.write(line + "\n")
                file.flush()

        with ThreadPoolExecutor(in_flight) as pool:
            calls = [pool.submit(call, n, r) for n, r in enumerate(requests) if n not in done]
        for ended in calls:
            ended.result()


if __name__ == "__main__":
    main()
