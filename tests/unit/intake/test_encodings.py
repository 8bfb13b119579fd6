"""What a file is written in is found out, and said; what is damaged stays damaged."""

import pytest

from tests.unit.intake.taking import taken
from worker.intake import ReadingOptions

GERMAN = "external_id;body\n1;Größe ist falsch, bitte prüfen Sie das.\n2;Das Gerät läuft nicht\n"
FRENCH = "external_id;body\n1;Où est ma commande ? J'ai été débité deux fois à Noël.\n"
SPANISH = "external_id,body\n1,¿Dónde está mi pedido? Llegó mañana según el señor.\n"
EURO = "external_id,body\n1,Me cobraron 20 € de más — “gracias”\n"
JAPANESE = (
    "external_id,body\n1,注文した商品がまだ届いていません。確認してください。\n2,返品したいです\n"
)
CHINESE = "external_id,body\n1,我的包裹还没有到，请帮忙查询一下。\n2,退款\n"
RUSSIAN = "external_id,body\n1,Где мой заказ? Я жду уже две недели.\n"
POLISH = "external_id,body\n1,Gdzie jest moje zamówienie? Proszę o zwrot bo źle działa.\n"
POUNDS = "external_id,body\n1,I paid £50 and want it back\n2,Refund me £20 please\n"
DASHES = "external_id,body\n1,My order – the blue one – is late\n2,No reply yet – why?\n"
SIGNS = "external_id,body\n1,My Gadget™ and Thing® broke\n2,set to 20° or ½ of it…\n"
TURKISH = "external_id,body\n1,Siparişim nerede? Çok üzgünüm\n2,İade işlemi başlamadı\n"
HEBREW = "external_id,body\n1,איפה ההזמנה שלי?\n2,אני רוצה החזר כספי\n"
SMALL_RUSSIAN = "external_id,body\n1,где мой заказ? нет денег\n2,не пришло\n"
THAI = "external_id,body\n1,คำสั่งซื้อของฉันอยู่ที่ไหน\n2,ขอคืนเงิน\n"
SMILE = "external_id,body\n1,Wo ist es? ü 😀\n"
KOREAN = "external_id,body\n1,주문한 상품이 아직 도착하지 않았습니다. 확인 부탁드립니다.\n"


@pytest.mark.parametrize(
    ("text", "encoding", "said"),
    [
        (GERMAN, "cp1252", "cp1252"),
        (GERMAN, "latin-1", "cp1252"),
        (FRENCH, "cp1252", "cp1252"),
        (SPANISH, "latin-1", "cp1252"),
        (EURO, "cp1252", "cp1252"),
        (JAPANESE, "shift_jis", "cp932"),
        (CHINESE, "gb18030", "gb18030"),
        (RUSSIAN, "cp1251", "cp1251"),
        (POLISH, "cp1250", "cp1250"),
        (KOREAN, "euc-kr", "euc_kr"),
        (POUNDS, "cp1252", "cp1252"),
        (DASHES, "cp1252", "cp1252"),
        (SIGNS, "cp1252", "cp1252"),
        (TURKISH, "cp1254", "cp1254"),
        (HEBREW, "cp1255", "cp1255"),
        (SMALL_RUSSIAN, "cp1251", "cp1251"),
        (THAI, "cp874", "cp874"),
        (GERMAN, "cp850", "cp850"),
        (JAPANESE, "iso2022_jp", "iso2022_jp"),
        (SMILE, "utf-16-le", "utf-16-le"),
        (SMILE, "utf-16-be", "utf-16-be"),
        (GERMAN, "utf-16", "utf-16-le"),
        (GERMAN, "utf-16-be", "utf-16-be"),
        (GERMAN, "utf-16-le", "utf-16-le"),
        (GERMAN, "utf-32", "utf-32-le"),
        (CHINESE, "utf-8-sig", None),
        (CHINESE, "utf-8", None),
    ],
)
def test_an_encoding_is_found_out_and_said(text: str, encoding: str, said: str | None) -> None:
    found = taken("x.csv", text.encode(encoding))
    assert found.document.get("encoding") == said
    assert "\n".join(found.bodies) == "\n".join(
        line.split(";" if ";" in text else ",", 1)[1] for line in text.splitlines()[1:]
    )


def test_it_is_found_out_where_it_first_shows_however_far_down() -> None:
    rows = [f"m{number},all of it ASCII" for number in range(90_000)]
    text = "\n".join(
        ["external_id,body", *rows, "last,Grüße aus Köln, schöne dazu".replace(", ", " ")]
    )
    found = taken("x.csv", text.encode("cp1252"))
    assert found.bodies[-1] == "Grüße aus Köln schöne dazu"


def test_a_broken_row_among_sound_ones_is_a_reject() -> None:
    sound = "external_id,body\n" + "".join(f"m{n},Grüße {n}\n" for n in range(9))
    found = taken("x.csv", sound.encode() + b"bad,br\xfccken\n")
    assert len(found.records) == 9
    assert [reject.reason for reject in found.rejects] == ["invalid UTF-8"]


def test_an_encoding_that_is_said_wins() -> None:
    data = GERMAN.encode("cp1252")
    found = taken("x.csv", data, options=ReadingOptions(encoding="mac_roman"))
    assert "Größe" not in found.bodies[0]
    json_lines = '{"external_id":"a","body":"Grüße"}'.encode("latin-1")
    assert taken("x.jsonl", json_lines, options=ReadingOptions(encoding="latin-1")).bodies == [
        "Grüße"
    ]
    wrong = taken("x.csv", data, options=ReadingOptions(encoding="klingon"))
    assert wrong.refused == "There is no encoding 'klingon'."
    for name in ("utf-8", "UTF8", "utf-16"):
        assert taken("x.csv", GERMAN.encode(name), options=ReadingOptions(encoding=name)).bodies


@pytest.mark.parametrize(
    ("first", "words"),
    [
        (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", "old Excel workbook"),
        (b"%PDF-1.7\n", "a PDF"),
        (b"\xfd7zXZ\x00", "packed by xz"),
        (b"BZh91AY", "packed by bzip2"),
        (b"PAR1\x15\x04", "a Parquet file"),
    ],
)
def test_what_is_no_backlog_is_called_what_it_is(first: bytes, words: str) -> None:
    found = taken("x.csv", first)
    assert found.refused is not None
    assert words in found.refused
    assert found.mend is not None


@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"])
def test_what_parts_columns_is_found_out(delimiter: str) -> None:
    lines = ["external_id,body,note", '1,"one; two, three | four\tfive",x', "2,plain,y"]
    body = lines[1].split('"')[1]
    data = "\n".join(
        delimiter.join(cell if delimiter not in cell else f'"{cell}"' for cell in row)
        for row in (["external_id", "body", "note"], ["1", body, "x"], ["2", "plain", "y"])
    )
    found = taken("x.csv", data.encode())
    assert found.bodies == [body, "plain"]
    assert found.document["delimiter"] == delimiter


def test_a_delimiter_can_be_said_and_excels_own_word_is_heard() -> None:
    data = b"external_id:body\n1:hello there\n"
    assert taken("x.csv", data, options=ReadingOptions(delimiter=":")).bodies == ["hello there"]
    assert taken("x.csv", b"sep=|\nexternal_id|body\n1|a, b; c\n").bodies == ["a, b; c"]
    wrong = taken("x.csv", data, options=ReadingOptions(delimiter="::"))
    assert wrong.refused is not None
