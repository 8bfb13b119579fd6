"""One Celery task for each message: threads, late acknowledgement, retries, answers in Redis.

`celery -A benchmarks.peers.tasks worker`; `PEER_BROKER`, `PEER_REDIS` and `PEER_CLAUDE`
say where they are.
"""

import json
import os
from typing import Any

import anthropic
import redis
from celery import Celery

ANSWERS = "peer:answers"
REDIS, CLAUDE = os.environ.get("PEER_REDIS", ""), os.environ.get("PEER_CLAUDE", "")

app = Celery("peer", broker=os.environ.get("PEER_BROKER"))
app.conf.update(
    task_acks_late=True,
    task_ignore_result=True,
    task_default_queue="peer",
    worker_pool="threads",
    worker_prefetch_multiplier=1,
    worker_hijack_root_logger=False,
    broker_connection_retry_on_startup=True,
)
_client = anthropic.Anthropic(api_key="sk-simulated", base_url=CLAUDE or None)
_answers = redis.Redis.from_url(REDIS) if REDIS else None


@app.task(autoretry_for=(anthropic.APIError,), retry_backoff=True, max_retries=5)
def answer(number: int, request: dict[str, Any]) -> None:
    """One message, one call, one answer kept."""
    message = _client.messages.create(**request)
    assert _answers is not None, "PEER_REDIS says where the answers go"
    _answers.hset(ANSWERS, str(number), json.dumps(message.model_dump(mode="json")))
