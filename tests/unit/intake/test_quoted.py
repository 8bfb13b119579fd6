"""What a mail answers is cut in whatever language and program it was written, and no word of the
writer's own."""

import json
import time

import pytest

from tests.unit.intake.taking import taken
from worker.intake import ReadingOptions
from worker.intake.markup import text_of, unquoted

ADDRESS = "Help <h@x.example>"
SAID = "Where is it?"
BLOCKS = {
    "en": ("From", "Sent", "To", "Subject"),
    "de": ("Von", "Gesendet", "An", "Betreff"),
    "fr": ("De ", "Envoyé ", "À ", "Objet "),
    "es": ("De", "Enviado el", "Para", "Asunto"),
    "it": ("Da", "Inviato", "A", "Oggetto"),
    "nl": ("Van", "Verzonden", "Aan", "Onderwerp"),
    "pl": ("Od", "Wysłano", "Do", "Temat"),
    "sv": ("Från", "Skickat", "Till", "Ämne"),
    "da": ("Fra", "Sendt", "Til", "Emne"),
    "fi": ("Lähettäjä", "Lähetetty", "Vastaanottaja", "Aihe"),
    "ru": ("От", "Отправлено", "Кому", "Тема"),
    "tr": ("Kimden", "Gönderilme", "Kime", "Konu"),
    "cs": ("Od", "Odesláno", "Komu", "Předmět"),
    "hu": ("Feladó", "Elküldve", "Címzett", "Tárgy"),
    "ja": ("差出人", "送信日時", "宛先", "件名"),
    "zh": ("发件人", "发送时间", "收件人", "主题"),
    "ko": ("보낸 사람", "보낸 날짜", "받는 사람", "제목"),
}
ANNOUNCED = [
    f"On Mon, Nov 23, 2026 at 10:00\u202fAM {ADDRESS}\nwrote:",
    "Am Mo., 23. Nov. 2026 um 10:00 Uhr schrieb Help GmbH <\nh@x.example>:",
    f"Le lun. 23 nov. 2026 à 10:00, {ADDRESS} a écrit\u00a0:",
    f"Il giorno lun 23 nov 2026 alle ore 10:00 {ADDRESS} ha\nscritto:",
    "Il 23/11/2026 10:00, Help ha scritto:",
    f"pon., 23 lis 2026 o 10:00 {ADDRESS} napisał(a):",
    "W dniu 23.11.2026 o 10:00, Help pisze:",
    f"man. 23. nov. 2026 kl. 10:00 skrev {ADDRESS}:",
    f"ma 23. marrask. 2026 klo 10.00 {ADDRESS} kirjoitti:",
    f"пн, 23 нояб. 2026 г. в 10:00, {ADDRESS}:",
    f"{ADDRESS}, 23 Kas 2026 Pzt, 10:00 tarihinde şunu yazdı:",
    f"2026年11月23日(月) 10:00 {ADDRESS}:",
    f"{ADDRESS} 于2026年11月23日周一 10:00写道：",
    f"2026년 11월 23일 (월) 오전 10:00, {ADDRESS}님이 작성:",
    f"po 23. 11. 2026 v 10:00 odesílatel {ADDRESS} napsal:",
]


@pytest.mark.parametrize("language", BLOCKS)
def test_a_block_that_names_sender_and_time_is_cut_with_what_is_below(language: str) -> None:
    by, at, to, about = BLOCKS[language]
    head = f"{by}: {ADDRESS}\n{at}: 23. 11. 2026 10:00\n{to}: Ann\n{about}: order"
    for above in ("", "________________________________\n", "----- 原始邮件 -----\n\n"):
        assert unquoted(f"{SAID}\n\n{above}{head}\n\nDear Ann") == SAID
    bold = head.replace(f"{by}:", f"*{by}:*")
    assert unquoted(f"{SAID}\n\n{bold}\n\nDear Ann") == SAID


@pytest.mark.parametrize("line", ANNOUNCED)
def test_a_line_that_announces_what_is_quoted_is_cut_with_it(line: str) -> None:
    assert unquoted(f"{SAID}\n\n{line}\n\n> Dear Ann\n>\n> Soon.\n") == SAID
    inside = line.replace("\n", " ")
    assert unquoted(f"{SAID}\n\n> {inside}\n>\n> Dear Ann\n") == SAID


@pytest.mark.parametrize(
    "body",
    [
        f"{SAID}\n\n##- Bitte geben Sie Ihre Antwort oberhalb ein. -##\n\nYour request",
        f"{SAID}\n\n-- Please type your reply above this line --\n\nYour request",
        f"{SAID}\n\n-----Message d'origine-----\nDe : Help\n\nAnn",
        *(
            f"{SAID}\n\n{words}"
            for words in (
                "Von meinem iPhone gesendet",
                "Envoyé de mon iPhone",
                "Verstuurd vanaf mijn iPhone",
                "Enviado do meu iPhone",
                "Wysłane z iPhone'a",
                "Skickat från min iPhone",
                "iPhoneから送信",
                "发自我的iPhone",
                "Отправлено с iPhone",
                "iPhone'umdan gönderildi",
                "나의 iPhone에서 보냄",
                "Sent from Yahoo Mail on Android",
                "Sent from Mail<https://x.example/?LinkId=5> for Windows 10",
                "Get Outlook for iOS",
            )
        ),
    ],
)
def test_marks_of_programs_and_their_last_words_are_cut(body: str) -> None:
    assert unquoted(body) == SAID


@pytest.mark.parametrize(
    "body",
    [
        f"Answers below.\n\nOn Mon, 23 Nov 2026 at 10:00, {ADDRESS} wrote:\n> Which?\n\nNumber 12",
        f"{ANNOUNCED[2]}\n> Which order?\n\nNumber 12.",
        "I tried it.\n\nLog from 2026-11-23:\n> error 12\n> stack",
        "My trip:\nDate: 23.11.2026\nFrom: Berlin\nTo: Paris\n\nis late",
        "Storno\nVon: 12.11.\nBis: 13.11.\nAn: Berlin\nBetreff: Zimmer\n\nBitte",
        "Three problems:\n\n--\nNo power\n--\nNo light",
        "Dear team,\n\nRegards,\nAnn\n\nPS: the number is 12345",
        "Dear team,\n\nRegards,\nAnn\n\nBy the way, when do you open?",
        "I wrote on Monday.\nSent from Berlin, nothing came.",
        "Sent from my iPhone",
    ],
)
def test_no_word_of_the_writers_own_is_cut(body: str) -> None:
    assert unquoted(body) == body


@pytest.mark.parametrize(
    "quote",
    [
        '<div class="gmail_quote">Le lun. 23 nov. 2026 à 10:00, Help a écrit :<br>'
        "<blockquote>Dear<div>Ann<blockquote>old</blockquote></div></blockquote></div>",
        '<blockquote type="cite"><div>Il 23 nov 2026, alle ore 10:00, Help ha scritto:</div><br>'
        "<div>Dear Ann</div></blockquote>",
        "<div><p><b>Od:</b> Help<br><b>Wysłano:</b> 23 listopada 2026 10:00<br><b>Do:</b> Ann<br>"
        "<b>Temat:</b> x</p></div><p>Dear</p>",
    ],
)
def test_what_is_quoted_in_html_is_cut(quote: str) -> None:
    row = json.dumps({"external_id": "a", "body": f"<p>{SAID}</p>{quote}"}).encode()
    found = taken("x.jsonl", row, options=ReadingOptions(strip_quotes=True))
    assert found.bodies == [SAID]
    assert (found.records[0].metadata or {})["original_body"].endswith(quote)


def test_what_is_quoted_in_html_stays_where_it_is_not_to_be_cut() -> None:
    body = f"<p>{SAID}</p><blockquote>Dear</blockquote><p>and now</p>"
    assert text_of(body) == f"{SAID}\n\nDear\n\nand now"
    assert unquoted(text_of(body, quotes=True) or "") == f"{SAID}\n\n> Dear\n\nand now"


@pytest.mark.parametrize("piece", ["> a:\n", ">", "From: x\nSent: 10:00\n", "-" * 50 + "\n", "\n>"])
def test_no_shape_takes_long(piece: str) -> None:
    began = time.process_time()
    unquoted(piece * (20_000 // len(piece)) + "x")
    assert time.process_time() - began < 3
