"""Rows 1 and 2: what Redis, its line and its deliveries can do."""

from collections.abc import Callable
from typing import Any

from tests.faults.scenario import Scenario, Story
from tests.support.house import House
from tests.support.household import CAPACITY
from tests.support.waiting import eventually
from worker.sandbox.redis import start_redis

JOBS = 20
QUEUES = ("routing", "haiku", "sonnet", "opus")
KEYS = [f"rung:{queue}" for queue in QUEUES]


def at_work(home: House, workers: int = 1, jobs: int = JOBS) -> None:
    """Workers in the middle of a backlog."""
    for worker in [home.start() for _ in range(workers)]:
        home.at_work(worker)
    home.hand_in(jobs)
    home.until("EXISTS (SELECT FROM calls)")


def during(fault: Callable[[House], None], times: int = 1) -> Story:
    """A fault, so many times, while work goes on."""

    def story(home: House) -> None:
        at_work(home)
        for _ in range(times):
            done = home.one("SELECT count(*) FROM calls WHERE state <> 'sent'")
            fault(home)
            home.fault()
            home.until(
                f"(SELECT count(*) FROM calls WHERE state <> 'sent') > {done}"
                " OR NOT EXISTS (SELECT FROM jobs WHERE finished_at IS NULL)"
            )
        home.settle()

    return story


def toxic(line: str, kind: str, seconds: float, **how: Any) -> Story:
    """A line with a fault for a while, then healed; the backlog is longer than the fault."""

    def story(home: House) -> None:
        at_work(home)
        with home.toxic(line, kind, **how):
            home.hand_in(JOBS)
            pause(home, seconds)
        if line == "postgres":
            # Bytes that were swallowed never come. The kernel's keepalive, which finds that out
            # on a real network, cannot be fooled by a proxy: its reset stands for it.
            home.lines[line].reset()
        home.settle()

    return story


def pause(home: House, seconds: float) -> None:
    """Lets the fault last, by the database's clock."""
    until = home.one("SELECT clock_timestamp() + make_interval(secs => :s)", s=seconds)
    passed = "SELECT clock_timestamp() > :until"
    eventually(lambda: home.one(passed, until=until), within_s=seconds + 30)


def flush(home: House) -> None:
    with home.redis_client() as client:
        client.flushall()


def reset(home: House) -> None:
    home.lines["redis"].reset()


def delete_queues(home: House) -> None:
    with home.redis_client() as client:
        client.delete(*KEYS, "rung:unacked", "rung:unacked_index")


def restart_redis(home: House) -> None:
    """Killed, and an empty one comes at the same address."""
    port = int(home.redis_server.url.rsplit(":", 1)[1].split("/")[0])
    home.redis_server.process.kill()
    home.redis_server.process.wait()
    home.redis_server = start_redis(home.root.parent / f"{home.root.name}-redis", port)


def redis_absent(home: House) -> None:
    at_work(home)
    port = int(home.redis_server.url.rsplit(":", 1)[1].split("/")[0])
    home.redis_server.process.kill()
    home.redis_server.process.wait()
    pause(home, 2.5)
    home.redis_server = start_redis(home.root.parent / f"{home.root.name}-redis", port)
    home.fault()
    home.settle()


def redis_frozen(home: House) -> None:
    at_work(home)
    home.redis_server.process.send_signal(19)
    pause(home, 3)
    home.redis_server.process.send_signal(18)
    home.fault()
    home.settle()


def out_of_memory(home: House) -> None:
    with home.redis_client() as client:
        client.config_set("maxmemory", 1)
        at_work_without_redis(home)
        client.config_set("maxmemory", 0)
    home.fault()
    home.settle()


def read_only_replica(home: House) -> None:
    with home.redis_client() as client:
        client.execute_command("REPLICAOF", "127.0.0.1", "1")
        at_work_without_redis(home)
        client.execute_command("REPLICAOF", "NO", "ONE")
    home.fault()
    home.settle()


def wrong_password(home: House) -> None:
    at_work(home)
    home.redis_password = "secret"
    with home.redis_client() as client:
        client.execute_command("CONFIG", "SET", "requirepass", "secret")
    home.lines["redis"].reset()
    pause(home, 2.5)
    with home.redis_client() as client:
        client.config_set("requirepass", "")
    home.redis_password = None
    home.fault()
    home.settle()


def wrong_password_from_the_start(home: House) -> None:
    """A worker that is started with a password that Redis does not take, until somebody mends
    it in Redis: it waits, and nobody starts it again."""
    home.redis_password = "secret"
    with home.redis_client() as client:
        client.execute_command("CONFIG", "SET", "requirepass", "secret")
        worker = home.start()
        home.hand_in(JOBS)
        pause(home, 3)
        assert worker.poll() is None, worker.log.read_text()[-2000:]
        assert home.one("SELECT count(*) FROM attempts") == 0
        client.config_set("requirepass", "")
    home.redis_password = None
    home.fault()
    home.settle()
    assert home.workers == [worker]


def limits_cannot_be_kept(home: House) -> None:
    """Redis takes no writes while work goes on: what is in flight ends, and nothing more is sent,
    for nobody could say whether the limits allow it."""
    at_work(home)
    with home.redis_client() as client:
        client.config_set("maxmemory", 1)
        home.hand_in(JOBS)
        home.until("NOT EXISTS (SELECT FROM calls WHERE state = 'sent')")
        pause(home, 0.5)
        before = home.state.counts.by_path["/v1/messages"]
        pause(home, 1.5)
        assert home.state.counts.by_path["/v1/messages"] == before
        client.config_set("maxmemory", 0)
    home.fault()
    home.settle()


def at_work_without_redis(home: House) -> None:
    """Work is there, and nothing can be published: nothing is claimed, nothing spent."""
    home.start()
    home.hand_in(JOBS)
    pause(home, 2.5)
    assert home.one("SELECT count(*) FROM attempts") == 0


def frozen_in_brpop(home: House) -> None:
    """The worst that was measured: the delivery goes to a worker that never reads it."""
    first = home.at_work(home.start())
    home.at_work(home.start())
    with home.frozen(first):
        home.hand_in(JOBS)
        home.until("EXISTS (SELECT FROM dispatches) OR EXISTS (SELECT FROM jobs WHERE fence > 0)")
        first.kill()
    home.fault()
    home.settle()


def dies_at(failpoint: str) -> Story:
    """A worker that ends at a failpoint, the first, second or third time, and another one."""

    def story(home: House) -> None:
        home.hand_in(JOBS)
        doomed = home.start(failpoint=f"{failpoint}:{home.chance.randint(1, 3)}")
        home.died(doomed)
        home.start()
        home.settle()

    return story


def publish(home: House, payload: dict[str, Any], queue: str, task: str = "rung.answer") -> None:
    """Puts a task on a queue, as anybody with the broker's URL could."""
    from celery import Celery
    from kombu import Exchange, Queue

    with Celery("stranger", broker=home.redis_server.url) as app:
        app.conf.broker_transport_options = {"global_keyprefix": "rung:"}
        app.conf.task_queues = [Queue(queue, Exchange("rung", type="direct"), routing_key=queue)]
        app.send_task(task, kwargs=payload, queue=queue)
    home.fault()


def deliveries(*queues: str, times: int = 1, task: str = "rung.answer", **payload: Any) -> Story:
    """Foreign deliveries beside the true ones: before, while and after the work is done."""

    def story(home: House) -> None:
        at_work(home)
        ids = [row[0] for row in home.sql("SELECT id FROM jobs ORDER BY id")]
        for _ in range(2):
            for queue in queues * times:
                publish(home, {"v": 1, "queue": queue, "ids": ids, **payload}, queue, task)
            home.settle()
        drained(home)
        home.settle()

    return story


def drained(home: House) -> None:
    """Waits until the queues are empty: every delivery was taken."""
    with home.redis_client() as client:
        eventually(lambda: not any(client.exists(key) for key in KEYS))


def garbage_on_the_queue(home: House) -> None:
    at_work(home)
    with home.redis_client() as client:
        for junk in (b"not json", b"{}", b'{"body": 7}'):
            client.lpush("rung:haiku", junk)
    home.fault(3)
    pause(home, 1)
    home.settle()


LIMITED = {
    f"tiers__{tier}__{kind}": per_minute
    for tier in QUEUES[1:]
    for kind, per_minute in (("rpm", 6_000), ("itpm", 6_000_000), ("otpm", 6_000_000))
}
"""Rate limits that are kept on Redis and hardly ever reached."""

SCENARIOS = (
    Scenario("redis flushed", 1, during(flush), quick=True),
    Scenario("redis flushed three times", 1, during(flush, 3)),
    Scenario("queues deleted", 1, during(delete_queues)),
    Scenario("queues deleted three times", 1, during(delete_queues, 3)),
    Scenario("redis restarted empty", 1, during(restart_redis)),
    Scenario("redis restarted twice", 1, during(restart_redis, 2)),
    Scenario("redis absent", 1, redis_absent),
    Scenario("redis frozen", 1, redis_frozen),
    Scenario("redis out of memory", 1, out_of_memory),
    Scenario("redis made a read-only replica", 1, read_only_replica),
    Scenario("redis with another password", 1, wrong_password),
    Scenario("redis with another password from the start", 1, wrong_password_from_the_start),
    Scenario("rate limits on a flushed redis", 1, during(flush, 3), settings=LIMITED),
    Scenario("rate limits on a restarted redis", 1, during(restart_redis), settings=LIMITED),
    Scenario("rate limits on a frozen redis", 1, redis_frozen, settings=LIMITED),
    Scenario("rate limits on a full redis", 1, limits_cannot_be_kept, settings=LIMITED, quick=True),
    Scenario("redis line reset", 1, during(reset, 3)),
    Scenario("redis line a black hole", 1, toxic("redis", "blackhole", 3), quick=True),
    Scenario("redis replies lost", 1, toxic("redis", "mute", 2)),
    Scenario("redis refuses connections", 1, toxic("redis", "reset", 2)),
    Scenario("redis slow", 1, toxic("redis", "delay", 2, delay_s=0.2)),
    Scenario("redis replies cut", 1, toxic("redis", "cut", 2, cut_after=3)),
    Scenario("frozen with a delivery, then killed", 1, frozen_in_brpop, wasted=CAPACITY),
    Scenario("dies after delivery", 1, dies_at("after deliver"), wasted=CAPACITY),
    Scenario("dies after the dispatch mark", 1, dies_at("after dispatch mark"), wasted=CAPACITY),
    Scenario("dies after publishing", 1, dies_at("after publish"), wasted=CAPACITY),
    Scenario("every delivery three times", 2, deliveries(*QUEUES, times=3), quick=True),
    Scenario("deliveries to the wrong queue", 2, deliveries("opus", queue="haiku")),
    Scenario("deliveries of jobs that do not exist", 2, deliveries("haiku", ids=[-1, 0, 10**15])),
    Scenario("deliveries of a huge list", 2, deliveries("routing", ids=list(range(20_000)))),
    Scenario("deliveries of words", 2, deliveries("haiku", ids=["a", None, 1.5])),
    Scenario("a queue that does not exist", 2, deliveries("haiku", queue="nowhere")),
    Scenario("a task that does not exist", 2, deliveries("haiku", task="rung.unknown")),
    Scenario("garbage on a queue", 2, garbage_on_the_queue),
)
