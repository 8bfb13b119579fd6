"""The ways in which a notice leaves: a webhook, and mail.

A courier raises `Undelivered` when the notice certainly did not arrive, or may have arrived and is
not to be sent again; addresses may hold secrets, and are in no log.
"""

import http.client
import json
import smtplib
import ssl
import urllib.error
import urllib.request
from email.message import EmailMessage
from functools import partial
from typing import Any, Protocol

import httpx2

from worker.config.doors import NotifySettings
from worker.domain.places import PlaceRefused
from worker.lanes.upkeep.time_bound import HttpWithin, Opened, Smtp, TimeBound
from worker.outbound.requests import connected, needs_proxy
from worker.store.queue.notices import TakenNotice, Way

TIMEOUT_S, LONGEST_S = 5.0, 10.0
"""How long each wait may last, and the whole of one notice."""
NOT_NOW = frozenset({408, 425, 429, 500, 502, 503, 504})
TRY_AGAIN_FROM, GIVE_UP_FROM = 400, 500
"""SMTP: 4xx is for now, 5xx for good."""


class Undelivered(Exception):
    """It did not arrive, or nobody knows; `retry` where it certainly did not, and still may."""

    def __init__(self, words: str, *, retry: bool) -> None:
        super().__init__(words)
        self.retry = retry


class Courier(Protocol):
    """One way out."""

    way: Way

    def wants(self, notice: TakenNotice) -> bool:
        """Whether anybody is to hear of it this way."""

    def send(self, notice: TakenNotice) -> None:
        """Raises Undelivered."""


def couriers_of(settings: NotifySettings) -> list[Courier]:
    """Those that are set up."""
    found: list[Courier] = [] if settings.url is None else [WebhookCourier(settings)]
    return found if settings.smtp_host is None else [*found, MailCourier(settings)]


class _NoRedirects(urllib.request.HTTPRedirectHandler):
    """A receiver does not choose where a worker, which may reach more than it, goes next."""

    def redirect_request(self, *_: Any) -> None:
        """Nowhere: the answer is an error of its status."""


def _opener(bound: TimeBound, opened: Opened | None) -> urllib.request.OpenerDirector:
    return urllib.request.build_opener(_NoRedirects, HttpWithin(bound, opened))


class WebhookCourier:
    """JSON by POST. By urllib, which tells apart what arrived (docs/decisions/0016)."""

    way = Way.WEBHOOK

    def __init__(self, settings: NotifySettings, longest_s: float = LONGEST_S) -> None:
        assert settings.url is not None, "nothing is posted without an address"
        self._url, self._longest_s = settings.url.get_secret_value(), longest_s
        self._opened = None
        if not needs_proxy(httpx2.URL(self._url)):
            self._opened = partial(connected, allow_private=settings.allow_private)
        self._text_alone, self._finished = settings.posts_text_alone, settings.finished

    def wants(self, notice: TakenNotice) -> bool:
        """Everything, but for ends of runs where those are not wanted."""
        return self._finished or notice.kind != "finished"

    def send(self, notice: TakenNotice) -> None:
        """Posts it. Raises Undelivered."""
        document = document_of(notice)
        if self._text_alone:
            document = {"text": plain_in_slack(document["text"])}
        request = urllib.request.Request(  # noqa: S310 - http and https only, by the settings
            self._url,
            json.dumps(document, default=str).encode(),
            {"content-type": "application/json", "user-agent": "rung"},
        )
        with TimeBound(self._longest_s) as bound:
            self._post(request, bound)

    def _post(self, request: urllib.request.Request, bound: TimeBound) -> None:
        try:
            with _opener(bound, self._opened).open(request, timeout=TIMEOUT_S):
                pass
        except urllib.error.HTTPError as error:
            with error:
                raise Undelivered(f"HTTP {error.code}", retry=error.code in NOT_NOW) from None
        except urllib.error.URLError as error:
            # No connection, or not the whole request was taken.
            raise Undelivered(_kind(error.reason, bound), retry=True) from None
        except (OSError, http.client.HTTPException) as error:
            # Sent, and then nothing, or half an answer: it may have arrived.
            raise Undelivered(_kind(error, bound), retry=False) from None


def _kind(error: object, bound: TimeBound) -> str:
    """Of an error its kind alone: its words may hold the address, but for ours."""
    if isinstance(error, PlaceRefused):
        return str(error)
    return "TimeoutError" if bound.is_over else type(error).__name__


class MailCourier:
    """A mail to those who are told of everything, and to those whom a run names."""

    way = Way.MAIL

    def __init__(self, settings: NotifySettings, longest_s: float = LONGEST_S) -> None:
        self._settings, self._longest_s = settings, longest_s

    def recipients(self, notice: TakenNotice) -> list[str]:
        """Each once."""
        told = self._settings.email_to
        if notice.kind == "finished":
            told = [*(told if self._settings.finished else ()), *notice.detail.get("asked", ())]
        return list(dict.fromkeys(told))

    def wants(self, notice: TakenNotice) -> bool:
        """Whether there is anybody."""
        return bool(self.recipients(notice))

    def send(self, notice: TakenNotice) -> None:
        """Hands it to the mail server. Raises Undelivered."""
        with TimeBound(self._longest_s) as bound:
            self._mail_by(notice, bound)

    def _mail_by(self, notice: TakenNotice, bound: TimeBound) -> None:
        try:
            with self._server(bound) as server:
                server.send_message(self._mail(notice))
        except smtplib.SMTPServerDisconnected:
            # Perhaps after it took the mail.
            raise Undelivered("the mail server hung up", retry=False) from None
        except smtplib.SMTPRecipientsRefused:
            raise Undelivered("SMTP: no recipient was taken", retry=False) from None
        except smtplib.SMTPResponseException as error:
            later = TRY_AGAIN_FROM <= error.smtp_code < GIVE_UP_FROM
            raise Undelivered(f"SMTP {error.smtp_code}", retry=later) from None
        except (OSError, smtplib.SMTPException) as error:
            raise Undelivered(_kind(error, bound), retry=True) from None

    def _server(self, bound: TimeBound) -> smtplib.SMTP:
        settings, host = self._settings, self._settings.smtp_host or ""
        context = ssl.create_default_context()
        tls = context if settings.smtp_tls == "tls" else None
        server = Smtp(host, settings.smtp_port, bound=bound, tls=tls, timeout=TIMEOUT_S)
        try:
            if settings.smtp_tls == "starttls":
                server.starttls(context=context)
            if settings.smtp_user is not None and settings.smtp_password is not None:
                server.login(settings.smtp_user, settings.smtp_password.get_secret_value())
        except BaseException:
            server.close()
            raise
        return server

    def _mail(self, notice: TakenNotice) -> EmailMessage:
        mail = EmailMessage()
        mail["Subject"] = subject_of(notice)
        mail["From"] = self._settings.email_from
        mail["To"] = ", ".join(self.recipients(notice))
        mail["Message-ID"] = f"<notice-{notice.id}-{notice.at.timestamp():.6f}@rung>"
        mail["Auto-Submitted"] = "auto-generated"
        mail.set_content(f"{notice.words}\n")
        return mail


def subject_of(notice: TakenNotice) -> str:
    """What happened to what, in one line: a mail's list shows no more than that."""
    return " ".join(f"Rung: {notice.kind.replace('_', ' ')}, {notice.target}".split())


def plain_in_slack(words: str) -> str:
    """As text alone: a run is called as its file was, and `<!channel>` would call everybody, or
    `<address|words>` lead them elsewhere (api.slack.com/reference/surfaces/formatting)."""
    for sign, escaped in (("&", "&amp;"), ("<", "&lt;"), (">", "&gt;")):
        words = words.replace(sign, escaped)
    return words


def document_of(notice: TakenNotice) -> dict[str, Any]:
    """What is posted. `text` is what chat programs show; `id` lets a receiver tell repeats."""
    return {
        "id": notice.id,
        "kind": notice.kind,
        "target": notice.target,
        "text": f"Rung: {notice.words}",
        "detail": notice.detail,
        "at": notice.at.isoformat(),
    }
