"""The three tasks. A payload is ids and nothing else: `{"v": 1, "queue": "haiku", "ids": […]}`."""

import logging
from collections.abc import Sequence

from models.vocabulary import ROUTING
from worker.app import app
from worker.lanes.process import runtime
from worker.runs.nights import fire_due
from worker.runs.standing_shadows import ask_standing_shadows
from worker.store.queue.dispatch import Chunk

log = logging.getLogger(__name__)
PAYLOAD_VERSION = 1


@app.task(name="rung.route")
def route(v: int, queue: str, ids: Sequence[int]) -> None:
    """Claims each message of the chunk, asks how hard it is, decides where it starts, and records
    that."""
    if _understood(v):
        runtime().work(queue, ids)


@app.task(name="rung.answer")
def answer(v: int, queue: str, ids: Sequence[int]) -> None:
    """Claims each message of the chunk, asks for its answer, decides what that is worth, and
    records what follows."""
    if _understood(v):
        runtime().work(queue, ids)


@app.task(name="rung.tick")
def tick(v: int) -> None:
    """Fire the schedules that owe a night, and ask about the shadows of finished runs. Beat sends
    this every few seconds, from any number of copies; a tick that is lost costs nothing but the
    wait for the next."""
    if _understood(v):
        fire_due(runtime().engine, runtime().settings)
        ask_standing_shadows(runtime().engine, runtime().settings)


def publish(chunk: Chunk) -> None:
    """Publishes a chunk to its queue. Raises what kombu raises when Redis is away."""
    task = route if chunk.queue == ROUTING else answer
    payload = {"v": PAYLOAD_VERSION, "queue": chunk.queue, "ids": list(chunk.ids)}
    task.apply_async(kwargs=payload, queue=chunk.queue)


def _understood(version: int) -> bool:
    """What a newer Rung published is dispatched again, to a worker that knows how."""
    if version != PAYLOAD_VERSION:
        log.warning("chunk of another version left alone", extra={"version": version})
    return version == PAYLOAD_VERSION
