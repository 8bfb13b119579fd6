"""The floor: an asyncio loop over the SDK that stores nothing. A process of its own.

`python -m benchmarks.bare URL CONCURRENCY` reads requests from standard input, one JSON object a
line (the first line holds the system prompts by purpose, so that they are not sent thousands of
times), makes every call, and prints its own CPU seconds as JSON.
"""

import asyncio
import json
import resource
import sys
import time
from collections import deque
from collections.abc import Mapping
from typing import Any

import anthropic

WARM_UP = 100
"""Calls made before the clock starts: connections, lazy imports, compiled schemas."""


def main() -> None:
    """Reads, calls, prints."""
    url, concurrency = sys.argv[1], int(sys.argv[2])
    systems = json.loads(sys.stdin.readline())
    requests = [_parameters(json.loads(line), systems) for line in sys.stdin]
    print(json.dumps(asyncio.run(_measure(url, concurrency, requests))))


async def _measure(
    url: str, concurrency: int, requests: list[dict[str, Any]]
) -> dict[str, float | int]:
    client = anthropic.AsyncAnthropic(
        api_key="sk-simulated",
        base_url=url,
        max_retries=2,  # The SDK's own default: as people write it.
        http_client=anthropic.DefaultAioHttpClient(),
    )
    await _all(client, concurrency, requests[:WARM_UP])
    cpu, wall = _cpu_s(), time.monotonic()
    await _all(client, concurrency, requests)
    spent = {"cpu_s": _cpu_s() - cpu, "wall_s": time.monotonic() - wall, "calls": len(requests)}
    await client.close()
    return spent


async def _all(
    client: anthropic.AsyncAnthropic, concurrency: int, requests: list[dict[str, Any]]
) -> None:
    left = deque(requests)

    async def call() -> None:
        while left:
            await client.messages.create(**left.popleft())

    await asyncio.gather(*(call() for _ in range(concurrency)))


def _parameters(request: dict[str, Any], systems: Mapping[str, Any]) -> dict[str, Any]:
    system = systems[request.pop("purpose")]
    return {**request, "system": system}


def _cpu_s() -> float:
    used = resource.getrusage(resource.RUSAGE_SELF)
    return used.ru_utime + used.ru_stime


if __name__ == "__main__":
    main()
