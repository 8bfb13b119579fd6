"""Who wrote a row, where a table has a row for each message of a conversation and says so in a
column: what the team wrote is nobody's question.

Files of products have places of their own for that (presets); this is for all others.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from worker.intake.paths import Path, column_of, follow, normal, parse_place

Row = Mapping[str, Any]

_PERSONS = (
    *("author_type", "sender_type", "from_type", "created_by_type", "author.type", "sender.type"),
    *("created_by.type", "author_role", "sender_role", "sender", "from", "author", "role"),
    *("absender", "autor", "remitente", "auteur", "expéditeur", "mittente", "autore", "remetente"),
    *("afzender", "speaker", "sent_by", "written_by"),
)
_WAYS = (
    "direction",
    "message_direction",
    "message_type",
    "type",
    "kind",
    *("richtung", "dirección", "sens", "direzione", "direção", "richting"),
)
_FROM_CUSTOMERS = ("inbound", "is_inbound", "incoming", "is_incoming", "from_customer")
_FROM_TEAM = (
    *("outbound", "is_outbound", "outgoing", "is_outgoing", "from_agent", "is_agent", "from_staff"),
    "is_staff",
)
_SEEN_BY_ALL = ("public", "is_public")
_SEEN_BY_THE_TEAM = ("internal", "is_internal", "private", "is_private", "is_note")
_CONVERSATIONS = (
    *("ticket_id", "conversation_id", "case_id", "issue_id", "request_id", "thread_id", "chat_id"),
    *("parent_id", "ticket_number", "session_id"),
)
"""Beside an id of their own, these make rows messages of a conversation. A whole ticket may be
private and a customer's."""
_UNTOLD = frozenset(map(normal, ("author_id", "audit_id")))
"""Comments of Zendesk by themselves: agents and customers are numbers alike."""

_CUSTOMER = """
customer client user end_user requester visitor contact lead consumer buyer guest
kunde kundin cliente klant klient utente usuario
"""
_CUSTOMERS = frozenset(map(normal, _CUSTOMER.split()))
_TEAM = """
agent operator staff team support bot assistant system representative employee
mitarbeiter agente conseiller operatore operador soporte suporte medewerker
"""
_TEAMS = frozenset(map(normal, _TEAM.split()))
_ADMIN = normal("admin")
"""A colleague as an author's type; as anybody's role in a shop or an app it may be a customer."""
_IN = frozenset({"inbound", "incoming", "in", "received"})
_IN |= {"eingehend", "eingang", "entrante", "entrant", "recibido", "inkomend", "entrada"}
_OUT = frozenset({"outbound", "outgoing", "out", "sent", "note", "internal", "internalnote"})
_OUT |= {"private", "privatenote", "notiz", "nota"}
_OUT |= {"ausgehend", "ausgang", "saliente", "sortant", "enviado", "uitgaand", "saída", "uscente"}
_TRUE, _FALSE = frozenset({"true", "1", "yes"}), frozenset({"false", "0", "no"})


@dataclass(frozen=True, slots=True)
class TeamsWords:
    """A column, and what it says of a row that the team wrote."""

    place: str
    path: Path
    words: frozenset[str]

    def why_not(self, row: Row) -> str | None:
        """Why this row is no customer's; None where it may be one's."""
        said = follow(row, self.path)
        meant = _is_word(said) and _normal(said) in self.words
        return f"written by the team ({self.place}: {said})" if meant else None


def teams_words_of(sample: Sequence[Row], columns: Mapping[str, str]) -> tuple[TeamsWords, ...]:
    """The columns that tell the team's rows from the customers'. Of words that may mean something
    else, both kinds must be there; that a row is incoming, or that one of a conversation is a note,
    stands for itself. `columns` says where our fields stand."""
    found, names = list[TeamsWords](), tuple(dict.fromkeys(name for row in sample for name in row))
    kinds: list[tuple[tuple[str, ...], frozenset[str] | None, frozenset[str]]] = [
        (_PERSONS, _CUSTOMERS, _TEAMS),
        (_WAYS, _IN, _OUT),
        (_FROM_CUSTOMERS, None, _FALSE),
        (_FROM_TEAM, None, _TRUE),
    ]
    own = column_of(columns.get("external_id", "external_id"), names)
    if {column_of(name, names) for name in _CONVERSATIONS} - {None, own}:
        kinds += [(_SEEN_BY_ALL, None, _FALSE), (_SEEN_BY_THE_TEAM, None, _TRUE)]
    for places, customers, teams in kinds:
        for place in places:
            words = teams | {_ADMIN} if place.endswith("type") and teams is _TEAMS else teams
            ((path,),) = parse_place(place).alternatives
            if column_of(path[0].name, names) is None:
                continue
            said = {_normal(value) for row in sample if _is_word(value := follow(row, path))}
            if said & words and (customers is None or said & customers):
                found.append(TeamsWords(place, path, words))
    return tuple(found)


def are_untold(names: Sequence[str]) -> bool:
    """Whether these are the columns of messages of which nobody can say who wrote them."""
    return set(map(normal, names)) >= _UNTOLD


def _is_word(value: Any) -> bool:
    return isinstance(value, str | int) and value != ""


def _normal(value: str | int) -> str:
    return normal(str(value))
