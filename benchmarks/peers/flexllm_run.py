"""`flexllm` with its file of answers, under an interpreter that has it: it is in no lock of ours.

`PYTHON benchmarks/peers/flexllm_run.py URL IN_FLIGHT OUTPUT`, requests on standard input. It takes
no schema of an answer: it asks for the same words and for no shape.
"""

import asyncio
import json
import sys
from typing import Any


def main() -> None:
    """Asks what its file does not know yet."""
    url, in_flight, output = sys.argv[1], int(sys.argv[2]), sys.argv[3]
    requests = [json.loads(line) for line in sys.stdin]
    asyncio.run(_ask(url, in_flight, output, requests))


async def _ask(url: str, in_flight: int, output: str, requests: list[dict[str, Any]]) -> None:
    from flexllm.clients.claude import ClaudeClient

    client = ClaudeClient(
        api_key="sk-simulated",
        base_url=f"{url}/v1",
        model=requests[0]["model"],
        concurrency_limit=in_flight,
        max_qps=1_000_000,
    )
    await client.chat_batch(
        [_said(request) for request in requests],
        output_jsonl=output,
        show_progress=False,
        max_tokens=requests[0]["max_tokens"],
    )


def _said(request: dict[str, Any]) -> list[dict[str, Any]]:
    """The request's messages, with its system prompt as the first of them."""
    system = "\n\n".join(part["text"] for part in request.get("system", ()))
    return [{"role": "system", "content": system}, *request["messages"]]


if __name__ == "__main__":
    main()
