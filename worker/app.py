"""The Celery app: `celery -A worker.app worker -Q haiku` works by itself.

Celery is used as Celery: named queues, standard commands, standard broker URL. What it cannot
promise (a delivery may be lost or come twice) Postgres does, so a task carries ids and nothing
else. Every setting that differs from Celery's default is here for a reason measured on this stack.
"""

import gc
from typing import Any

from celery import Celery
from kombu import Exchange, Queue

from models.vocabulary import ROUTING
from worker.config import broker
from worker.config.addresses import redis_address
from worker.config.loading import load_settings
from worker.config.settings import Settings
from worker.errors import ConfigurationError, RungError

EXCHANGE = Exchange("rung", type="direct")
KEY_PREFIX = "rung:"
STARTING_OBJECTS = 100_000
"""Libraries make objects that stay: looking for garbage among them takes a tenth of a worker's
start. A worker at work has bounds of its own."""


def threads_for(settings: Settings) -> int:
    """Threads enough for every chunk that dispatch may have outstanding, so that chunks of one
    tier never keep another's waiting: twice as many as would be enough if each were full, for those
    of a queue at its rate limit are half empty. They wait most of their life and cost little."""
    capacities = [tier.max_in_flight for tier in settings.tiers.values()]
    capacities.append(settings.tiers[settings.routing_tier].max_in_flight)
    return sum(4 * capacity // settings.worker.chunk + 4 for capacity in capacities)


def beat_schedule(settings: Settings) -> dict[str, Any]:
    """What Celery beat sends: a tick, where there are schedules or shadows to ask about. One that
    waits in its queue until the next is sent is dropped."""
    if not settings.ticks:
        return {}
    every = settings.timing.schedule_s
    options = {"queue": ROUTING, "expires": every}
    return {
        "schedules": {
            "task": "rung.tick", "schedule": every, "kwargs": {"v": 1}, "options": options
        }
    }  # fmt: skip


def make_app(settings: Settings) -> Celery:
    """An app for these settings. Raises Unreachable when there is no Redis to name."""
    timing = settings.timing
    address = redis_address(settings)
    include = ["worker.signals", "worker.tasks"]
    broker.install()
    app = Celery("rung", broker=address.broker_url, include=include)
    app.conf.update(
        broker_use_ssl=address.broker_ssl or False,
        task_serializer="json",
        accept_content=["json"],
        result_backend=None,
        task_ignore_result=True,
        task_queues=[Queue(name, EXCHANGE, routing_key=name) for name in settings.queues],
        task_default_queue=ROUTING,
        task_create_missing_queues=False,
        task_acks_late=True,
        task_acks_on_failure_or_timeout=True,
        task_reject_on_worker_lost=False,
        task_publish_retry=False,
        beat_schedule=beat_schedule(settings),
        # What is due is decided from Postgres at every tick: beat has nothing to remember.
        beat_scheduler="celery.beat:Scheduler",
        beat_max_loop_interval=timing.schedule_s,
        worker_pool="threads",
        worker_concurrency=settings.worker.threads or threads_for(settings),
        worker_prefetch_multiplier=1,
        worker_hijack_root_logger=False,
        worker_cancel_long_running_tasks_on_connection_loss=False,
        worker_enable_remote_control=True,
        broker_connection_timeout=timing.connect_s,
        broker_connection_retry_on_startup=True,
        broker_connection_max_retries=None,
        broker_transport_options={
            "visibility_timeout": timing.visibility_timeout_s,
            "socket_timeout": timing.connect_s,
            "socket_connect_timeout": timing.connect_s,
            "socket_keepalive": True,
            "health_check_interval": 5,
            "unacked_restore_interval": 15,
            "unacked_restore_throttle": 1,
            "global_keyprefix": KEY_PREFIX,
            **address.transport_options,
        },
    )
    return app


def _app() -> Celery:
    gc.set_threshold(STARTING_OBJECTS)
    try:
        return make_app(load_settings())
    except RungError as error:
        # `celery -A worker.app` prints what it could not import: a sentence, not a traceback.
        raise SystemExit(sentence(error)) from None


def pool_complaint(pool: object) -> ConfigurationError | None:
    """Why a worker cannot run on this pool of Celery's, given by name or class."""
    words = f"{getattr(pool, '__module__', '')} {pool}"
    found = next((name for name in ("gevent", "eventlet") if name in words), None)
    if found is None:
        return None
    return ConfigurationError(
        f"Rung's workers run on Celery's threads pool, and would hang for ever on {found}'s.",
        mend="leave out --pool (and worker_pool): the calls of a worker share one event loop",
    )


def ignored_options(worker: Any) -> list[str]:
    """Options given to a Celery worker that do nothing on its threads pool. Takes `autoscale` away,
    by which Celery would end the worker: its threads cannot grow."""
    names = ("max_tasks_per_child", "max_memory_per_child", "time_limit", "soft_time_limit")
    given = [name for name in names if getattr(worker, name, None)]
    return [*given, "autoscale"] if worker.options.pop("autoscale", None) else given


def sentence(error: RungError) -> str:
    """What happened and what mends it, on one line."""
    return f"rung: {error}" + (f" Fix: {error.mend}" if error.mend else "")


app = _app()
