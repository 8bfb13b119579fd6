"""Names that helpdesks and spreadsheets give to what we call external_id, body and so on, in the
languages in which those products are sold. The first of a list is the likeliest; those behind the
bar are names of many things, and alone make no guess certain."""

import re
from collections.abc import Mapping

from worker.intake.paths import normal

_SURE: dict[str, str] = {
    "external_id": """
        external id, ticket id, ticket number, ticket no, ticket no., ticket #, case number,
        case no, case id, issue key, conversation id, ticketid, ticketnumber, casenumber, issuekey,
        request id, response id, submission id, ticket, enquiry id, inquiry id, message id,
        message-id, id, display id,
        ticketnummer, ticket-nr, ticket-nr., ticket-id, vorgangsnummer, fallnummer, anfrage-id,
        anfragenummer, vorgang, numéro du ticket, id du ticket, n° ticket, n° de ticket,
        numéro de dossier, identifiant, número de ticket, id de ticket, id del ticket,
        número de caso, nº de ticket, id do ticket, número do ticket, número do chamado,
        id do chamado, protocolo, numero ticket, id ticket, numero del ticket, zaaknummer,
        numer zgłoszenia, id zgłoszenia, identyfikator, номер заявки, номер обращения, id заявки,
        номер тикета, チケットid, チケット番号, 問い合わせ番号, 案件番号, 工单编号, 工单id, 工单号,
        单号, 編號, 編号, 티켓 번호, 티켓 id, 문의 번호, رقم التذكرة, رقم الطلب, talep no,
        talep numarası, bilet no, מספר פנייה
    """,
    "body": """
        body, description, ticket description, case description, message, customer message,
        message body, body text, description text, plain body, email body, first message,
        initial message, question, inquiry, enquiry, complaint, message text, ticket body,
        ticket message, beschreibung, nachricht, kundennachricht, anfrage, anliegen,
        nachrichtentext, frage,
        description du ticket, message du client, demande, corps du message, descripción, mensaje,
        consulta, descripción del ticket, mensaje del cliente, descrição, mensagem,
        descrição do ticket, descrizione, messaggio, richiesta, omschrijving, bericht,
        beschrijving, vraag, treść, opis, wiadomość, treść wiadomości, описание, сообщение,
        текст сообщения, текст обращения, 本文, お問い合わせ内容, 問い合わせ内容, メッセージ, 説明,
        问题描述, 工单描述, 描述, 正文, 消息, 留言, 內容, 内容, 설명, 문의 내용, 메시지, 내용,
        الرسالة, الوصف, نص الرسالة, açıklama, mesaj, תיאור, הודעה
    """,
    "subject": """
        subject, ticket subject, ticket name, case subject, summary, title, ticket title,
        email subject, betreff,
        titel, zusammenfassung, objet, sujet, titre, asunto, título, assunto, oggetto, titolo,
        onderwerp, temat, tytuł, тема, заголовок, 件名, 題名, タイトル, 主题, 标题, 主旨, 標題,
        제목, الموضوع, konu, נושא
    """,
    "customer_id": """
        customer id, customer email, customer_email, requester email, requester id, requester,
        contact email, contact id, user email, user id, client id, client email, from email,
        sender email, reporter email, reporter, supplied email, web email, email, e-mail,
        email address, from, sender, customer, contact, kunde, kundennummer, kunden-id,
        kunden-nr., e-mail-adresse, absender, anfragesteller, client, demandeur, adresse e-mail,
        numéro client, e-mail du client, cliente, solicitante, correo, correo electrónico,
        id de cliente, id do cliente, e-mail do cliente, solicitante, mittente, email cliente,
        klant, klantnummer, aanvrager, klient, nadawca, клиент, отправитель, email клиента, 顧客id,
        お客様番号, メールアドレス, 客户id, 客户邮箱, 邮箱, 고객 id, 이메일, العميل,
        البريد الإلكتروني, müşteri, e-posta
    """,
    "channel": """
        channel, ticket channel, case origin, origin, ticket source, source type, contact channel,
        kanal, herkunft, canal, origine, origen, origem, canale, kanaal, kanał, канал, チャネル,
        チャンネル, 渠道, 来源, 채널, القناة
    """,
    "language": """
        language, locale, lang, language code, customer language, sprache, langue, idioma, lingua,
        taal, język, язык, 言語, 语言, 語言, 언어, اللغة, dil
    """,
    "received_at": """
        received at, created at, create date, created time (ticket), created time, created date,
        created, date created, created on,
        createdat, created datetime, date/time opened, opened date, opened at, opened,
        submitted at, submitted on, received, received on, date received, sent at, sent,
        date sent, timestamp, creation date, first message at, date, erstellt, erstellt am,
        erstelldatum, eingegangen am, eingang, datum, date de création, créé le, date d'ouverture,
        reçu le, fecha de creación, creado, fecha, data de criação, criado em, data di creazione,
        creato il, data, aangemaakt op, aanmaakdatum, utworzono, data utworzenia, создано,
        дата создания, дата, 作成日時, 作成日, 受信日時, 创建时间, 创建日期, 建立時間, 생성일,
        작성일, تاريخ الإنشاء, oluşturma tarihi, tarih
    """,
}
_UNSURE: dict[str, str] = {
    "external_id": """
        key, number, no, no., nr, nr., #, ref, reference, reference number, uuid, guid, code,
        nummer, referenz, numéro, référence, número, referencia, referência, numero, riferimento,
        номер, 番号, 编号, 번호, row id, index
    """,
    "body": """
        text, content, comment, comments, details, request, note, notes, feedback, review,
        conversation, transcript, reply, preview, inhalt, kommentar, bemerkung, contenu, texte,
        commentaire, contenido, texto, comentario, conteúdo, comentário, contenuto, testo, commento,
        inhoud, opmerking, komentarz, текст, комментарий, 詳細, コメント, 备注, 评论, 의견, yorum
    """,
    "subject": "topic, category, name, thema, kategorie, issue",
    "customer_id": "user, name, customer name, author, phone, benutzer, autor",
    "channel": "via, source, medium",
    "language": "",
    "received_at": "time, updated at, last updated, modified, uhrzeit, heure, hora",
}

_TEAM = """
internal private intern interne interno interna note notes notiz notizen nota notas agent assignee
send reply developer bearbeiter resolution solution answer antwort
réponse respuesta risposta lösung solución
"""
_TEAMS_WORDS = frozenset(_TEAM.split())


def is_of_the_team(name: str) -> bool:
    """Whether a column's name says that the team wrote what stands in it."""
    return not _TEAMS_WORDS.isdisjoint(re.split(r"[\W_]+", name.casefold()))


def speaks_of(field: str, name: str) -> bool:
    """Whether a word of a column's name is one by which the field is surely called: `Comment or
    Message` speaks of a body."""
    return any(normal(word) in SURE[field] for word in re.split(r"[\W_]+", name) if word)


def _ranked(words: Mapping[str, str]) -> dict[str, dict[str, int]]:
    """For each field, names without case and spaces, and how far down the list they stand."""
    ranks: dict[str, dict[str, int]] = {}
    for field, listed in words.items():
        names = [normal(" ".join(name.split())) for name in listed.split(",")]
        ranks[field] = {name: rank for rank, name in reversed(list(enumerate(names))) if name}
    return ranks


SURE, UNSURE = _ranked(_SURE), _ranked(_UNSURE)


def rank_of(field: str, name: str) -> tuple[int, int] | None:
    """How well a column's name fits a field: lower is better, (0, …) is sure; None: not at all."""
    alike = normal(name)
    if (rank := SURE[field].get(alike)) is not None:
        return 0, rank
    rank = UNSURE[field].get(alike)
    return None if rank is None else (1, rank)
