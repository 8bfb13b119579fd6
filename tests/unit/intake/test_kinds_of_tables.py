"""Tables as people and programs really leave them: each is read, or named for what is wrong."""

import pytest

from tests.unit.intake.taking import taken

HEAD = "external_id,body\n"
TWO = [("1", "hello, there"), ("2", "fine")]


def pairs(data: str | bytes) -> list[tuple[str, str]]:
    found = taken("x.csv", data if isinstance(data, bytes) else data.encode())
    assert not found.rejects
    return [(record.external_id, record.body) for record in found.records]


@pytest.mark.parametrize(
    "data",
    [
        'sep=;\r\nexternal_id;body\r\n1;hello, there\r\n2;fine\r\n',
        "'external_id','body'\n'1','hello, there'\n'2','fine'\n",
        '"sep=;"\r\nexternal_id;body\r\n1;hello, there\r\n2;fine\r\n',
        'external_id, body\n"1", "hello, there"\n"2", "fine"\n',
        '"external_id,body"\n"1,""hello, there"""\n"2,fine"\n',
        "external_id^body\n1^hello, there\n2^fine\n",
        "external_id\x01body\n1\x01hello, there\n2\x01fine\n",
        "external_id||body\n1||hello, there\n2||fine\n",
        '# made by a tool\n# on a day\nexternal_id,body\n1,"hello, there"\n2,fine\n',
        HEAD + '1,"hello, there"\n,\n , \n2,fine\n,\n,\n',
        HEAD + '1,"hello, there"\n2,fine\n\x1a',
        HEAD.encode() + b'1,"hello, there"\n2,fine\n' + b"\x00" * 900,
        "\ufeff\ufeff" + '"external_id","body"\n1,"hello, there"\n2,fine\n',
        "\u00ef\u00bb\u00bf" + HEAD + '1,"hello, there"\n2,fine\n',
        HEAD + '1,"hello, there"\n\ufeff2,fine\n',
        HEAD + '1,"hello, there"\n\ufeff"2",fine\n',
        "\u200bexternal_id,bo\u00addy\n" + '1,"hello, there"\n2,fine\n',
        HEAD + ' 1 ,"hello, there"\n2\u00a0,fine\n',
        HEAD + '"=""1""","hello, there"\n\'2,fine\n',
        HEAD + '1.0,"hello, there"\n2.0,fine\n',
        'external_id,body,,\n1,"hello, there",,\n2,fine,,\n',
        'external_id,body\r1,"hello, there"\r2,fine\r',
        'external_id,body\r\r\n1,"hello, there"\r\r\n2,fine\r\r\n',
    ],
)  # fmt: skip
def test_the_same_two_rows(data: str | bytes) -> None:
    assert pairs(data) == TWO


def test_quotes_that_a_backslash_escapes_are_read_and_said() -> None:
    data = 'external_id,body,channel\n1,"say \\"hi\\", please",\\N\n2,"C:\\\\dir\\\\",web\n'
    found = taken("x.csv", data.encode())
    assert found.bodies == ['say "hi", please', "C:\\dir\\"]
    assert [record.channel for record in found.records] == [None, "web"]
    assert found.document["dialect"] == "quotes escaped by a backslash"
    plain = taken("x.csv", b'external_id,body\n"1","C:\\dir\\"\n"2","fine, ok"\n')
    assert plain.bodies == ["C:\\dir\\", "fine, ok"]
    assert "dialect" not in plain.document


@pytest.mark.parametrize("mark", ["", "\ufeff"])
def test_a_header_that_comes_again_is_no_message(mark: str) -> None:
    found = taken("x.csv", f"{HEAD}1,hello\n{mark}{HEAD}2,world\n".encode())
    assert found.ids == ["1", "2"]
    assert [(one.line, one.reason.split(" (")[0]) for one in found.rejects] == [
        (3, "the header again")
    ]


def test_a_header_may_begin_with_a_number_sign() -> None:
    found = taken("x.csv", b"#,Subject,Message\n1,a,my box is broken\n2,b,where is my parcel\n")
    assert found.refused is None or "'#'" in found.refused


@pytest.mark.parametrize("word", ["NaN", "None", "NULL", "\\N", "#N/A", "#REF!", "<NA>"])
def test_a_word_that_stands_for_nothing_is_no_question(word: str) -> None:
    found = taken("x.csv", f"external_id,body,customer_id\n1,{word},c\n2,fine,{word}\n".encode())
    assert [one.reason for one in found.rejects] == [
        f"empty body ({word}, which stands for nothing)"
    ]
    assert found.records[0].customer_id is None


@pytest.mark.parametrize("written", ["1.23457E+12", '"1,23457E+12"', "2E+05", "1.234567e+19"])
def test_an_id_that_a_spreadsheet_rounded_is_none(written: str) -> None:
    found = taken("x.csv", f"{HEAD}{written},hello\n1e5,fine\n".encode())
    assert found.ids == ["1e5"]
    assert "rounded by a spreadsheet" in found.rejects[0].reason


def test_ids_with_parts_keep_their_points() -> None:
    assert pairs(HEAD + "1.0,hello\n1.1,fine\n") == [("1.0", "hello"), ("1.1", "fine")]
    assert pairs(HEAD + "007,hello\n7,fine\n") == [("007", "hello"), ("7", "fine")]


def test_one_id_is_one_however_its_accents_are_written() -> None:
    assert pairs(HEAD + "caf\u00e9,hello\ncafe\u0301,fine\n") == [
        ("caf\u00e9", "hello"), ("caf\u00e9", "fine"),
    ]  # fmt: skip


def test_lines_in_two_encodings_are_each_read_in_theirs() -> None:
    rest = "2,Größe passt nicht\n3,für dich\n4,Müller\n5,Österreich\n".encode("cp1252")
    found = taken("x.csv", HEAD.encode() + "1,Grüße aus Köln\n".encode() + rest)
    assert found.bodies == [
        "Grüße aus Köln", "Größe passt nicht", "für dich", "Müller", "Österreich",
    ]  # fmt: skip
    assert found.document["encoding"] == "cp1252"


def test_a_file_without_a_header_is_told_so_without_a_word_of_it() -> None:
    found = taken("x.csv", b"1001,My parcel has not come and I am very angry\n1002,Where is it\n")
    assert found.refused == "x.csv has no header: its first line looks like a row."


@pytest.mark.parametrize("known", ["-12", "+4912", "=a1", "@ann"])
def test_an_id_that_was_kept_from_being_a_formula_is_the_one_that_it_was(known: str) -> None:
    assert taken("x.csv", f"{HEAD}'{known},hello there\n".encode()).ids == [known]
