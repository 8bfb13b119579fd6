"""What people run without Rung: the SDK with its own retries, so many calls at once, no limiter.

`python -m benchmarks.plain URL SECONDS` reads from standard input a line with the system prompts by
purpose, a line with the calls in flight by tier, then requests, one JSON object a line with its
tier. It repeats each tier's requests until the time is up, and prints how many messages were
answered and how many were given up because the SDK had used up its retries.
"""

import asyncio
import itertools
import json
import sys
import time
from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping
from typing import Any

import anthropic

TIMEOUT_S = 120.0


def main() -> None:
    """Reads, calls, prints."""
    url, seconds = sys.argv[1], float(sys.argv[2])
    systems, in_flight = (json.loads(sys.stdin.readline()) for _ in range(2))
    requests: dict[str, list[dict[str, Any]]] = defaultdict(list)
    for line in sys.stdin:
        request = json.loads(line)
        request["system"] = systems[request.pop("purpose")]
        requests[request.pop("tier")].append(request)
    print(json.dumps(asyncio.run(_call(url, seconds, requests, in_flight))))


async def _call(
    url: str,
    seconds: float,
    requests: Mapping[str, list[dict[str, Any]]],
    in_flight: Mapping[str, int],
) -> Mapping[str, int]:
    counts: Counter[str] = Counter(answered=0, given_up=0)
    until = time.monotonic() + seconds
    http = anthropic.DefaultAioHttpClient(timeout=TIMEOUT_S)
    async with anthropic.AsyncAnthropic(
        api_key="sk-simulated", base_url=url, http_client=http
    ) as client:

        async def loop(mine: Iterator[dict[str, Any]]) -> None:
            while time.monotonic() < until:
                try:
                    await client.messages.create(**next(mine))
                    counts["answered"] += 1
                except anthropic.RateLimitError:
                    counts["given_up"] += 1

        loops = []
        for tier, asked in requests.items():
            endless = itertools.cycle(asked)
            loops += [asyncio.create_task(loop(endless)) for _ in range(in_flight[tier])]
        await asyncio.wait(loops, timeout=seconds)
        for left in loops:
            left.cancel()
        await asyncio.gather(*loops, return_exceptions=True)
    return counts


if __name__ == "__main__":
    main()
