"""Mails that a program wrote, and that nobody waits for an answer to."""

import re
from email.message import Message
from email.utils import parseaddr

AUTOMATIC = "an automatic reply"
UNDELIVERED = "a report on a mail's delivery"
OF_A_FOLDER = "a mail server's note on its own folder"
INVITED = "an answer to an invitation"
_REPLIES_ITSELF = frozenset({"x-autoreply", "x-autorespond", "x-autoresponder", "x-autoreply-from"})
"""Headers that only programs which answer by themselves write."""
_AUTOMATIC_SUBJECT = re.compile(
    r"(?:automatic reply|auto(?:matic)?[ -]?(?:reply|response)|out of (?:the )?office"
    r"(?: auto-?reply)?"
    r"|automatische antwort|abwesenheitsnotiz|abwesenheitsnachricht|réponse automatique"
    r"|absence du bureau|respuesta automática|fuera de la oficina|risposta automatica"
    r"|fuori sede|resposta automática|automatisch antwoord|afwezigheidsbericht"
    r"|automatyczna odpowiedź|odpowiedź automatyczna|autosvar|automatiskt svar|automatisk svar"
    r"|automaattinen vastaus|automatická odpověď|automatikus válasz|автоматический ответ"
    r"|автоматична відповідь|otomatik yanıt|自動応答|自動返信|自动回复|自動回覆|자동 회신)\s?[:：]",
    re.I,
)
"""As Exchange and its relatives begin the subject; an answer to such a mail begins with `Re:`."""
_UNDELIVERED_SUBJECT = re.compile(
    r"undeliver(?:able|ed)|delivery (?:status notification|has failed|failure)|returned mail"
    r"|mail delivery fail|failure notice|unzustellbar|non remis|no se puede entregar",
    re.I,
)


def why_automatic(message: Message, subject: str) -> str | None:
    """Which program wrote it, if one did; `subject` is decoded."""
    if subject.startswith("DON'T DELETE THIS MESSAGE"):
        return OF_A_FOLDER
    if _is_undelivered(message, subject):
        return UNDELIVERED
    if message.keys() and not _REPLIES_ITSELF.isdisjoint(map(str.lower, message.keys())):
        return AUTOMATIC
    if _said(message, "precedence") in ("auto_reply", "auto-reply"):
        return AUTOMATIC
    automatic = _said(message, "auto-submitted")
    if automatic.startswith("auto-replied") or _AUTOMATIC_SUBJECT.match(subject):
        return AUTOMATIC
    if automatic.startswith("auto-") and _said(message, "return-path") == "<>":
        return AUTOMATIC
    return INVITED if _is_an_answer_to_an_invitation(message) else None


def _is_undelivered(message: Message, subject: str) -> bool:
    if message.get_content_type() == "multipart/report" or message.get("x-failed-recipients"):
        return True
    name = parseaddr(_said(message, "from"))[1].partition("@")[0]
    if name == "mailer-daemon":
        return True
    nobodys = name == "postmaster" or _said(message, "return-path") == "<>"
    return nobodys and _UNDELIVERED_SUBJECT.match(subject) is not None


def _is_an_answer_to_an_invitation(message: Message) -> bool:
    kinds = [message, *(message.get_payload() if message.is_multipart() else [])]
    return any(
        isinstance(part, Message)
        and part.get_content_type() == "text/calendar"
        and str(part.get_param("method", "")).lower() == "reply"
        for part in kinds
    )


def _said(message: Message, name: str) -> str:
    return str(message.get(name, "")).strip().lower()
