"""Mails as they really are: what the customer says is read whatever the program made of it, and
what nobody waits for an answer to is named."""

import pytest

from tests.unit.intake.taking import taken

HEAD = {
    "From": "Ann <ann@x.org>", "To": "help@y.org", "Subject": "My order",
    "Date": "Mon, 23 Nov 2026 08:15:00 +0000", "Message-ID": "<1@x>", "MIME-Version": "1.0",
}  # fmt: skip
MIXED = {"Content-Type": 'multipart/mixed; boundary="b"'}
BOTH = {"Content-Type": 'multipart/alternative; boundary="b"'}


def mail(body: str | bytes, **headers: str) -> bytes:
    given = HEAD | {name.replace("_", "-"): value for name, value in headers.items()}
    head = "".join(f"{name}: {value}\n" for name, value in given.items())
    return head.encode() + b"\n" + (body if isinstance(body, bytes) else body.encode())


def parts(*said: tuple[str, str]) -> str:
    made = (f"--b\nContent-Type: {kind}\n\n{text}\n" for kind, text in said)
    return "".join(made) + "--b--\n"


def plain(charset: str) -> dict[str, str]:
    return {"Content_Type": f"text/plain; charset={charset}"}


@pytest.mark.parametrize(
    ("charset", "written", "text"),
    [
        ("us-ascii", "utf-8", "Grüße aus Köln"),
        ("x-unknown", "utf-8", "Grüße aus Köln"),
        ("iso-8859-1", "utf-8", "Grüße aus Köln"),
        ("iso-8859-1", "cp1252", "it’s late – “very”"),
        ("utf-8", "latin-1", "Grüße aus Köln"),
        ("gb2312", "gbk", "請問我的訂單"),
        ("shift_jis", "cp932", "①商品が届いていません"),
        ("us-ascii", "shift_jis", "商品がまだ届いていません。確認をお願いします。"),
        ("iso-2022-jp", "iso-2022-jp", "商品が届いていません"),
    ],
)
def test_a_charset_that_is_not_true_is_found_out(charset: str, written: str, text: str) -> None:
    assert taken("x.eml", mail(text.encode(written), **plain(charset))).bodies == [text]


@pytest.mark.parametrize(
    ("headers", "body", "said"),
    [
        (
            MIXED,
            parts(
                ("text/plain", "before"), ("image/png; name=a.png", "x"), ("text/plain", "after")
            ),
            "before\n\nafter",
        ),
        (
            MIXED,
            parts(("text/html", "<p>hello there</p>"), ("text/plain", "a list's footer")),
            "hello there\n\na list's footer",
        ),
        (
            MIXED,
            parts(
                ("text/plain", "see below"),
                ("message/rfc822", "From: c@z.org\nTo: d@z.org\n\nmy box"),
            ),
            "see below\n\nmy box",
        ),
        (
            BOTH,
            parts(
                ("text/plain", "This mail is in HTML."),
                ("text/html", "<p>Where is my parcel of last week?</p>"),
            ),
            "Where is my parcel of last week?",
        ),
        (
            BOTH,
            parts(
                ("text/plain", "hello there"),
                ("text/html", "<p>hello there</p><p>and a footer</p>"),
            ),
            "hello there",
        ),
        (BOTH, parts(("text/plain", " "), ("text/html", "<p>hello there</p>")), "hello there"),
        ({"Content-Type": "multipart/mixed"}, "no boundary\n", "no boundary"),
        (
            {},
            "-----BEGIN PGP SIGNED MESSAGE-----\nHash: SHA256\n\nlate\n- - again\n"
            "-----BEGIN PGP SIGNATURE-----\n\nx\n",
            "late\n- again",
        ),
    ],
)
def test_what_is_said_is_read(headers: dict[str, str], body: str, said: str) -> None:
    assert taken("x.eml", mail(body, **headers)).bodies == [said]


@pytest.mark.parametrize(
    ("headers", "body", "reason"),
    [
        ({"Auto-Submitted": "auto-replied"}, "I am away", "an automatic reply"),
        (
            {"Content-Type": 'multipart/report; boundary="b"'},
            parts(("text/plain", "failed")),
            "a report on a mail's delivery",
        ),
        (
            {"Content-Type": 'multipart/encrypted; boundary="b"'},
            parts(("text/plain", "x")),
            "an encrypted mail",
        ),
        ({"Content-Type": "application/pkcs7-mime"}, "x", "an encrypted mail"),
        ({}, "-----BEGIN PGP MESSAGE-----\n\nx\n", "an encrypted mail"),
        ({"Content-Type": "application/ms-tnef; name=winmail.dat"}, "x", "missing body"),
        ({"Content-Type": "text/calendar"}, "BEGIN:VCALENDAR", "missing body"),
        ({}, " \n", "missing body"),
        ({"Precedence": "auto_reply"}, "I am away", "an automatic reply"),
        ({"X-Autorespond": "yes"}, "I am away", "an automatic reply"),
        ({"Auto-Submitted": "auto-generated", "Return-Path": "<>"}, "x", "an automatic reply"),
        ({"Subject": "Automatic reply: My order"}, "I am away", "an automatic reply"),
        ({"Subject": "=?utf-8?q?R=C3=A9ponse_automatique_:_x?="}, "x", "an automatic reply"),
        ({"Subject": "Abwesenheitsnotiz: x"}, "Ich bin weg", "an automatic reply"),
        (
            {"From": "Mail Delivery Subsystem <mailer-daemon@x.org>"},
            "failed",
            "a report on a mail's delivery",
        ),
        ({"X-Failed-Recipients": "ann@x.org"}, "failed", "a report on a mail's delivery"),
        (
            {"From": "postmaster@x.org", "Subject": "Undeliverable: x"},
            "failed",
            "a report on a mail's delivery",
        ),
        (
            {"Subject": "DON'T DELETE THIS MESSAGE -- FOLDER INTERNAL DATA"},
            "This text is part of the internal format",
            "a mail server's note on its own folder",
        ),
        (
            BOTH,
            parts(("text/plain", "Ann accepted"), ("text/calendar; method=REPLY", "BEGIN:x")),
            "an answer to an invitation",
        ),
        ({"X-Mozilla-Status": "0009"}, "hello", "a mail that was deleted in Thunderbird"),
        (
            {"X-Gmail-Labels": "Unread,Papierkorb"},
            "hello",
            "a mail that was thrown away (label Papierkorb)",
        ),
    ],
)
def test_what_is_no_question_is_named(headers: dict[str, str], body: str, reason: str) -> None:
    found = taken("x.eml", mail(body, **headers))
    assert (found.refused, found.records) == (None, [])
    assert [one.reason for one in found.rejects] == [reason]


def test_a_web_form_that_asks_once_for_itself_is_a_question() -> None:
    form = {"Auto_Submitted": "auto-generated", "From": "no-reply@shop.x", "Reply_To": "ann@x.org"}
    found = taken("x.eml", mail("hello there", **form))
    assert [(one.body, one.customer_id) for one in found.records] == [("hello there", "ann@x.org")]
    ours = taken("x.eml", mail("hello", Reply_To="else@x.org"))
    assert ours.records[0].customer_id == "ann@x.org"


@pytest.mark.parametrize(
    "headers",
    [
        {"Subject": "Re: Automatic reply: My order"},
        {"Subject": "Undeliverable: my parcel was"},
        {"X_Auto_Response_Suppress": "All", "Precedence": "list"},
        {"From": "postmaster@x.org"},
        {"Auto_Submitted": "no", "Return_Path": "<ann@x.org>"},
    ],
)
def test_a_person_who_writes_like_a_program_is_answered(headers: dict[str, str]) -> None:
    assert taken("x.eml", mail("hello there", **headers)).bodies == ["hello there"]


@pytest.mark.parametrize(
    "headers",
    [
        {"Reply_To": "Ann <ann@x.org>"},
        {"X_Original_From": "Ann <ann@x.org>"},
        {"X_Original_Sender": "ann@x.org", "Reply_To": "help@y.org"},
    ],
)
def test_behind_a_group_that_signs_the_writer_is_the_customer(headers: dict[str, str]) -> None:
    group = {"From": "\"'Ann' via Help\" <help@y.org>"}
    assert taken("x.eml", mail("hello", **group, **headers)).records[0].customer_id == "ann@x.org"


def test_what_a_list_puts_behind_base64_is_no_part_of_it() -> None:
    coded = {"Content_Type": "text/plain; charset=utf-8", "Content_Transfer_Encoding": "base64"}
    found = taken("x.eml", mail("V2hlcmUgaXMgbXkgb3JkZXI/\n\n-- \nThe list\n", **coded))
    assert found.bodies == ["Where is my order?\n\n-- \nThe list"]
    assert taken("x.eml", mail("V2hlcmUgaXMg\nbXkgb3JkZXI/\n\n", **coded)).bodies == [
        "Where is my order?"
    ]


@pytest.mark.parametrize(
    ("kind", "body", "said"),
    [
        ("", "Where is my \norder?\nAnn", "Where is my order?\nAnn"),
        ("; delsp=yes", "Where is my or \nder?", "Where is my order?"),
        ("", "> you \n> asked \nYes.\n-- \nAnn", "> you asked \nYes.\n-- \nAnn"),
    ],
)
def test_lines_that_a_mail_program_broke_are_one(kind: str, body: str, said: str) -> None:
    flowed = f"text/plain; charset=utf-8; format=flowed{kind}"
    assert taken("x.eml", mail(body, Content_Type=flowed)).bodies == [said]


@pytest.mark.parametrize(
    ("separator", "blank"),
    [
        ("From ", "\n"),
        ("From -", "\n"),
        ("From ", ""),
        ("From - Mon Nov 23 08:15:00 2026", ""),
        ("From ann@x.org Mon, 23 Nov 2026 08:15:00 +0000", "\n"),
        ("From ann@x.org 2026-11-23T08:15:00Z", "\n"),
        ("From Ann Other Mon Nov 23 08:15:00 2026", "\n"),
        ("From MAILER-DAEMON Mon Nov 23 08:15:00 2026", "\n"),
    ],
)
def test_mails_are_parted_as_their_file_parts_them(separator: str, blank: str) -> None:
    line = f"{separator}\n".encode()
    said = b"I am\n" + line + b"Subject: x\nFrom Berlin\n\nFrom: there, that is\n"
    first = mail(said + blank.encode())
    second = mail(b"second\n\nFrom ann\nSubject: no mail\n", **{"Message-ID": "<2@x>"})
    found = taken("x.mbox", line + first + line + second)
    assert found.ids == ["1@x", "2@x"]
    assert found.bodies[0].endswith("that is")
    assert found.bodies[1].endswith("no mail")
    assert [record.line for record in found.records] == [1, 15 + bool(blank)]


def test_a_line_in_a_mail_that_no_headers_follow_parts_nothing() -> None:
    line = b"From bob@x.org Mon Nov 23 08:15:00 2026\n"
    data = line + mail(b"I quote:\n\n" + line + b"that was it\n")
    found = taken("x.mbox", data + b"\n" + line + mail("second", **{"Message-ID": "<2@x>"}))
    assert found.ids == ["1@x", "2@x"]
    assert found.bodies[0].endswith("that was it")


def test_a_mail_in_a_text_file_is_one() -> None:
    assert taken("x.txt", mail("hello there")).bodies == ["hello there"]
