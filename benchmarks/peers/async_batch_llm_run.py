"""`async-batch-llm` (since called `llm-minder`) with its checkpoint file, around the SDK's client,
under an interpreter that has both: it is in no lock of ours.

`PYTHON benchmarks/peers/async_batch_llm_run.py URL IN_FLIGHT OUTPUT`, requests on standard input.
"""

import asyncio
import json
import sys
from typing import Any

import anthropic


def main() -> None:
    """Asks what its checkpoint does not know yet."""
    url, in_flight, output = sys.argv[1], int(sys.argv[2]), sys.argv[3]
    lines = [(f"r{number}", line) for number, line in enumerate(sys.stdin)]
    asyncio.run(_ask(url, in_flight, output, lines))


async def _ask(url: str, in_flight: int, output: str, lines: list[tuple[str, str]]) -> None:
    import async_batch_llm as library

    async with anthropic.AsyncAnthropic(api_key="sk-simulated", base_url=url) as client:

        async def invoke(prompt: str, **_: Any) -> Any:
            message = await client.messages.create(**json.loads(prompt))
            used = {
                "input_tokens": message.usage.input_tokens,
                "output_tokens": message.usage.output_tokens,
            }
            return library.CallOutcome(output=message.model_dump(mode="json"), token_usage=used)

        identity = library.ArtifactIdentity(provider="anthropic", model="haiku")
        stream = library.process_stream(
            library.CallableStrategy(invoke, identity=identity),
            lines,
            concurrency=in_flight,
            artifact_store=library.JsonlArtifactStore(output, identity=identity),
            resume=library.ResumePolicy.REUSE_SUCCESSES,
        )
        async for result in stream:
            if not result.success:
                raise RuntimeError(f"{result.item_id}: {result.error}")


if __name__ == "__main__":
    main()
