"""Mailboxes: a mail is one row, whatever stands in it."""

from tests.unit.intake.taking import taken

LINE = b"From ann@x.example Tue Nov 24 08:15:00 2026\n"


def mail(number: int, body: bytes, more: bytes = b"") -> bytes:
    head = b"From: Ann <ann@x.example>\nMessage-ID: <%d@x>\nSubject: s\n%s\n" % (number, more)
    return LINE + head + body + b"\n"


def test_a_mail_that_quotes_a_separator_is_one_mail() -> None:
    body = (
        b"Hello\n\nFrom now on I want 2026 refunds\n\n>From evil@x Tue Nov 24 08:15:00 2026\n\nx\n"
    )
    found = taken("x.mbox", mail(1, body) + mail(2, b"second\n"))
    assert found.ids == ["1@x", "2@x"]
    assert "From evil@x" in found.bodies[0]
    assert [record.line for record in found.records] == [1, 14]


def test_of_a_long_mail_the_words_are_read_and_what_follows_is_in_step() -> None:
    kind = b"MIME-Version: 1.0\nContent-Type: multipart/mixed; boundary=q\n"
    parts = b"--q\nContent-Type: text/plain\n\nhello there\n--q\nContent-Type: application/pdf\n"
    parts += b"Content-Disposition: attachment; filename=a.pdf\n\n" + (b"A" * 76 + b"\n") * 120_000
    found = taken("x.mbox", mail(1, parts, kind) + mail(2, b"second\n"))
    assert (found.ids, found.bodies) == (["1@x", "2@x"], ["hello there", "second"])


def test_a_mail_without_an_id_is_known_by_its_fingerprint() -> None:
    data = LINE + b"From: ann@x.example\nSubject: s\n\nHello\n\n"
    first, again = taken("x.mbox", data), taken("y.mbox", data)
    assert first.ids == again.ids
    assert first.ids[0].startswith("mail-")


def test_one_mail_is_a_file_too() -> None:
    found = taken("x.eml", mail(1, b"Hello\n").removeprefix(LINE))
    assert (found.ids, found.bodies, found.document["kind"]) == (["1@x"], ["Hello"], "eml")


def test_a_mail_that_lies_about_its_charset_is_read_all_the_same() -> None:
    kind = b"Content-Type: text/plain; charset=klingon\n"
    found = taken("x.mbox", mail(1, "Grüße".encode("cp1252"), kind))
    assert found.bodies == ["Grüße"]
    assert taken("x.mbox", mail(1, b"<p>Hi</p>", b"Content-Type: text/html\n")).bodies == ["Hi"]


def test_a_mailbox_of_empty_mails_names_each() -> None:
    found = taken("x.mbox", mail(1, b"\n") + mail(2, b"\n"))
    assert [(one.line, one.reason) for one in found.rejects] == [
        (1, "missing body"), (8, "missing body"),
    ]  # fmt: skip
