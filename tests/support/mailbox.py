"""A mail server on loopback that keeps what it is given, and refuses when it is told to."""

import email
import socketserver
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from email.message import Message


@dataclass
class Mailbox:
    """Mails that were taken, with their envelope's recipients; `answer` is what DATA is told."""

    port: int = 0
    answer: bytes = b"250 taken"
    mails: list[Message] = field(default_factory=list)
    recipients: list[list[str]] = field(default_factory=list)


@contextmanager
def mail_server() -> Iterator[Mailbox]:
    """Speaks as much of RFC 5321 as a client needs."""
    box = Mailbox()

    class Handler(socketserver.StreamRequestHandler):
        def handle(self) -> None:
            self.say(b"220 mailbox")
            to: list[str] = []
            for line in self.rfile:
                word = line[:4].upper().strip()
                if word == b"RCPT":
                    to.append(line.decode().partition("<")[2].partition(">")[0])
                if word == b"DATA":
                    self.say(b"354 go on")
                    self.keep(to)
                elif word == b"QUIT":
                    self.say(b"221 bye")
                    return
                else:
                    self.say(b"250 ok")

        def keep(self, to: list[str]) -> None:
            lines = list(iter(self.rfile.readline, b".\r\n"))
            if box.answer.startswith(b"250"):
                box.mails.append(email.message_from_bytes(b"".join(lines)))
                box.recipients.append(to)
            self.say(box.answer)

        def say(self, words: bytes) -> None:
            self.wfile.write(words + b"\r\n")

    with socketserver.ThreadingTCPServer(("127.0.0.1", 0), Handler) as server:
        server.daemon_threads = True
        box.port = server.server_address[1]
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
        thread.start()
        yield box
        server.shutdown()
        thread.join()
