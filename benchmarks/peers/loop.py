"""The loop that one writes first: asyncio over the SDK, so many at once, answers in memory.

`python -m benchmarks.peers.loop URL IN_FLIGHT OUTPUT`, requests on standard input.
"""

import asyncio
import json
import sys
from collections import deque
from pathlib import Path
from typing import Any

import anthropic


def main() -> None:
    """Reads, calls, and writes everything at the end."""
    url, in_flight, output = sys.argv[1], int(sys.argv[2]), Path(sys.argv[3])
    requests = [json.loads(line) for line in sys.stdin]
    answers = asyncio.run(_all(url, in_flight, requests))
    output.write_text("".join(f"{json.dumps(answer)}\n" for answer in answers), "utf-8")


async def _all(url: str, in_flight: int, requests: list[dict[str, Any]]) -> list[Any]:
    left, answers = deque(enumerate(requests)), list[Any]()
    http = anthropic.DefaultAioHttpClient()
    async with anthropic.AsyncAnthropic(
        api_key="sk-simulated", base_url=url, http_client=http
    ) as client:

        async def call() -> None:
            while left:
                number, request = left.popleft()
                message = await client.messages.create(**request)
                answers.append([number, message.model_dump(mode="json")])

        await asyncio.gather(*(call() for _ in range(in_flight)))
    return answers


if __name__ == "__main__":
    main()
