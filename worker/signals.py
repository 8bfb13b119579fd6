"""When a worker process starts and stops: Celery's signals, and what this process does at each."""

import logging
import signal
import threading
from contextlib import suppress
from types import FrameType
from typing import Any

from celery.signals import (
    setup_logging,
    worker_init,
    worker_ready,
    worker_shutdown,
    worker_shutting_down,
)

from worker.app import ignored_options, pool_complaint, sentence
from worker.config.loading import load_settings
from worker.errors import RungError
from worker.lanes import process
from worker.tasks import publish
from worker.telemetry import configure_logging

log = logging.getLogger(__name__)


@setup_logging.connect
def _logging(loglevel: int | None = None, **_: Any) -> None:
    configure_logging(loglevel)


@worker_init.connect
def _start(sender: Any = None, **_: Any) -> None:
    try:
        if (complaint := pool_complaint(sender.pool_cls)) is not None:
            raise complaint
        if ignored := ignored_options(sender):
            # In the words: it may be said before the log has its form.
            log.warning("threads know no such option, ignored: %s", ", ".join(ignored))
        process.start(load_settings())
    # Celery would log an exception of a signal's handler and go on: a worker without a runtime,
    # that takes deliveries and fails each of them.
    except RungError as error:
        log.critical(sentence(error))
        raise SystemExit(error.exit_code) from None
    except Exception:
        log.critical("rung: the worker could not start", exc_info=True)
        raise SystemExit(1) from None


@worker_ready.connect
def _ready(sender: Any = None, **_: Any) -> None:
    process.keep_house([queue.name for queue in sender.task_consumer.queues], publish)
    _hurries(signal.SIGQUIT)


@worker_shutting_down.connect
def _shutting_down(**_: Any) -> None:
    process.wind_down()
    # Celery has just given Ctrl-C its second meaning: end now.
    _hurries(signal.SIGINT)


def _hurries(number: signal.Signals) -> None:
    """From now on this signal ends the process within seconds. Celery's own handler waits for the
    tasks, which wait for calls, as long as these may take."""
    before = signal.getsignal(number)
    if not callable(before) or threading.current_thread() is not threading.main_thread():
        return

    def handler(received: int, frame: FrameType | None) -> None:
        process.hurry()
        # Celery asks its pool to end each task, and threads can end none: they end with us. By then
        # it has noted that it is to terminate.
        with suppress(NotImplementedError):
            before(received, frame)

    signal.signal(number, handler)


@worker_shutdown.connect
def _stop(**_: Any) -> None:
    process.stop()
