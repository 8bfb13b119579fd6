"""Look-ups over HTTP: one host, no redirects, the secret in a header, bounded time and size."""

import contextlib
import datetime as dt
import gzip
import json
import socket
import ssl
import threading
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, ClassVar

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from tests.support.looking_up import asked, desk
from tests.support.wire import serving
from worker.domain.context import LookedUp

SECRET = "s3cret-of-the-shop"


class Shop(BaseHTTPRequestHandler):
    """Answers by the customer that is asked for."""

    seen: ClassVar[list[str]] = []
    hang = threading.Event()

    def do_GET(self) -> None:
        customer = self.path.removeprefix("/orders/")
        self.seen.append(f"{customer} {self.headers['authorization']}")
        if customer == "slow":
            self.hang.wait(5)
        status = {"gone": 404, "ill": 500, "moved": 302, "empty": 204}.get(customer, 200)
        document: Any = [{"customer_id": customer.replace("%2F", "/"), "state": "sent"}]
        if customer == "other":
            document = {"customer_id": "somebody", "state": "sent"}
        if customer in ("flood", "drip"):
            self._without_an_end(b"x" * 65_536 if customer == "flood" else b"x")
            return
        if customer == "broken":
            self.wfile.write(b"HTTP/1.1 200 OK\r\ncontent-length: 99\r\n\r\n[")
            return
        body = b"x" * 1_100_000 if customer == "large" else json.dumps(document).encode()
        if customer == "packed":
            body = gzip.compress(body)
        self.send_response(status)
        if customer == "packed":
            self.send_header("content-encoding", "gzip")
        self.send_header("location", "http://127.0.0.1:1/")
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def _without_an_end(self, piece: bytes) -> None:
        """In pieces, with no length in front, for as long as somebody reads."""
        self.wfile.write(b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n")
        with contextlib.suppress(OSError):
            while not self.hang.wait(0.02 if len(piece) == 1 else 0):
                self.wfile.write(b"%x\r\n%b\r\n" % (len(piece), piece))

    def log_message(self, *_: Any) -> None:
        """Quiet."""


@pytest.fixture
def shop() -> Iterator[str]:
    Shop.seen.clear()
    Shop.hang.clear()
    with serving(Shop) as url:
        yield url
        Shop.hang.set()


def ask(shop: str, *customers: str | None, **more: Any) -> list[LookedUp]:
    made = desk(
        orders={
            "url": shop + "/orders/{customer_id}", "hosts": ["127.0.0.1"], "secret": SECRET, **more
        }
    )  # fmt: skip
    found = [one for (one,) in made.ask(["orders"], asked(*customers))]
    made.stop()
    return found


def test_each_message_has_its_answer_or_why_there_is_none(shop: str) -> None:
    found = ask(shop, "c-1", "a/b", "gone", "ill", "moved", "other", "large", None)
    assert [one.records for one in found] == [
        ({"state": "sent"},), ({"state": "sent"},), (), (), (), (), (), ()
    ]  # fmt: skip
    assert [one.failed for one in found] == [
        None,
        None,
        None,
        "answered with HTTP 500",
        "leads elsewhere (HTTP 302), which is not followed",
        "brought a record of another customer_id than the row's",
        "brought more than 1,000,000 bytes",
        None,
    ]
    assert f"c-1 Bearer {SECRET}" in Shop.seen
    assert "a%2Fb" in "".join(Shop.seen)


def test_one_odd_value_of_a_row_keeps_nobody_else(shop: str) -> None:
    odd = "x" * 70_000  # longer than any address
    found = ask(shop, "c-1", odd, "..", "broken", "empty")
    assert found[0].records == ({"state": "sent"},)
    assert [one.failed for one in found] == [
        None,
        "was not asked, for the address would have 70,030 letters",
        "was not asked, for the row holds dots that would lead elsewhere",
        "ended the connection before its answer was whole",
        None,
    ]


def test_who_turns_its_name_elsewhere_has_no_certificate_for_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # given a name that leads to this machine since a moment, and a server here whose certificate
    # is trusted, for another name
    certified = _certified(tmp_path, "internal.example")
    server = ThreadingHTTPServer(("127.0.0.1", 0), Shop)
    tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    tls.load_cert_chain(certified)
    server.socket = tls.wrap_socket(server.socket, server_side=True)
    threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
    resolve = socket.getaddrinfo
    monkeypatch.setattr(
        socket, "getaddrinfo", lambda _, *rest, **more: resolve("127.0.0.1", *rest, **more)
    )
    monkeypatch.setenv("SSL_CERT_FILE", str(certified))
    Shop.seen.clear()
    # when
    hosts = ["shop.example", "internal.example"]
    for host, failed in (("shop.example", "could not be reached"), ("internal.example", None)):
        address = f"https://{host}:{server.server_port}"
        (refused,) = ask(address, "c-1", hosts=hosts)
        (found,) = ask(address, "c-1", hosts=hosts, allow_private=True)
        assert refused.failed == (
            "leads to 127.0.0.1, which is no public address, and allow_private is not set"
        )
        assert found.failed == failed
    # then: the secret went to nobody else
    assert Shop.seen == [f"c-1 Bearer {SECRET}"]
    server.shutdown()
    server.server_close()


def test_the_address_that_was_looked_at_is_the_one_that_is_connected_to(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    # given a name that leads to a public address when it is looked at, and elsewhere ever after
    asked_for: list[str] = []
    answers = iter(["203.0.114.9"])

    def resolve(host: str, port: int, *_: Any, **__: Any) -> list[Any]:
        asked_for.append(host)
        place = host if host[0].isdigit() else next(answers, "127.0.0.1")
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (place, port))]

    monkeypatch.setattr(socket, "getaddrinfo", resolve)
    connected: list[Any] = []

    async def connect(_: Any, __: Any, address: Any) -> None:
        connected.append(address[0])
        raise ConnectionRefusedError

    monkeypatch.setattr("asyncio.selector_events.BaseSelectorEventLoop.sock_connect", connect)
    # when
    (found,) = ask("https://shop.example", "c-1", hosts=["shop.example"])
    # then: it was asked for once, and nothing else was tried
    assert found.failed == "could not be reached"
    assert (asked_for.count("shop.example"), set(connected)) == (1, {"203.0.114.9"})


@pytest.mark.parametrize("address", ["169.254.169.254", "10.0.0.4", "::1", "fe80::1"])
def test_a_name_that_leads_to_a_machine_within_is_asked_nothing(
    address: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    found = [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (address, 443))]
    monkeypatch.setattr(socket, "getaddrinfo", lambda *_, **__: found)
    (refused,) = ask("https://shop.example", "c-1", hosts=["shop.example"])
    assert (refused.failed or "").startswith(f"leads to {address}, which is no public address")


@pytest.mark.parametrize(("name", "why"), [
    ("flood", "brought more than 1,000,000 bytes"),
    ("drip", "did not answer within 0.5 s"),
])  # fmt: skip
def test_an_answer_that_does_not_end_is_bounded(name: str, why: str, shop: str) -> None:
    began = time.monotonic()
    (found,) = ask(shop, name, timeout_s=5 if name == "flood" else 0.5)
    assert (found.failed, time.monotonic() - began < 5) == (why, True)


def _certified(directory: Path, name: str) -> Path:
    """A key with its certificate for a host name."""
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, name)])
    now = dt.datetime.now(dt.UTC)
    made = (
        x509.CertificateBuilder(subject, subject, key.public_key(), 1, now, now + dt.timedelta(1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(name)]), critical=False)
        .sign(key, hashes.SHA256())
    )
    form = serialization.PrivateFormat.PKCS8
    pem = serialization.Encoding.PEM
    path = directory / "server.pem"
    path.write_bytes(
        key.private_bytes(pem, form, serialization.NoEncryption()) + made.public_bytes(pem)
    )
    return path


def test_what_is_packed_is_not_unpacked(shop: str) -> None:
    # given an answer of a few bytes that could have become any number of gigabytes
    (found,) = ask(shop, "packed")
    assert found.failed == "answered in a packed form, which it was not asked for"


def test_after_one_that_hung_the_rest_are_not_asked(shop: str) -> None:
    slow, *rest = ask(shop, "slow", "c-1", "c-2", timeout_s=0.2, max_in_flight=1)
    assert slow.failed == "did not answer within 0.2 s"
    assert {one.failed for one in rest} == {"was not asked, for it had just hung"}
    assert len(Shop.seen) == 1


def test_a_row_does_not_choose_another_address(shop: str) -> None:
    # given ids that a path would be shortened by, here or on the way
    found = ask(shop, "..", ".", "../admin", "a/../../admin", "a\\..\\b", "a..b")
    # then
    assert [one.failed for one in found[:-1]] == [
        "was not asked, for the row holds dots that would lead elsewhere"
    ] * 5
    assert found[-1].records == ({"state": "sent"},)
    assert [one.partition(" ")[0] for one in Shop.seen] == ["a..b"]
