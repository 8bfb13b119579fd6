"""kombu's transport for Redis, as we use it: one client a pool, and the rest untouched."""

from kombu import Connection

from worker.config import broker

broker.install()


def test_a_channel_keeps_its_client_until_its_pool_changes(redis_url: str) -> None:
    with Connection(redis_url) as connection:
        channel = connection.default_channel
        assert isinstance(channel, broker.Channel)
        # when
        with channel.conn_or_acquire() as first, channel.conn_or_acquire() as second:
            assert first is second
        channel._disconnect_pools()
        # then
        with channel.conn_or_acquire() as third:
            assert third is not first
            assert third.ping()


def test_what_waits_has_clients_of_its_own(redis_url: str) -> None:
    with Connection(redis_url) as connection:
        channel = connection.default_channel
        assert channel.client is not channel.subclient


def test_messages_go_through(redis_url: str) -> None:
    with Connection(redis_url) as connection:
        queue = connection.SimpleQueue("broker-test")
        for number in range(3):
            queue.put({"n": number})
        got = [queue.get(timeout=5) for _ in range(3)]
        for message in got:
            message.ack()
        queue.close()
    assert [message.payload["n"] for message in got] == [0, 1, 2]


def test_every_redis_address_means_ours() -> None:
    for scheme in ("redis", "rediss"):
        assert Connection(f"{scheme}://127.0.0.1:1/0").get_transport_cls() is broker.RedisTransport
    assert Connection("redis+socket:///tmp/x.sock").get_transport_cls() is broker.RedisTransport
