"""What a text does not say of its encoding is guessed by its letters, and where a guess may be wrong, that is known."""

import time

import pytest

from console.errors import Refused
from console.tabular import open_table
from console.tabular.encodings import MOST, NAMES, Sample, are_unclear


def readings(text: str, encoding: str):
    return Sample((text.encode(encoding) + b"\r\n",), ";").readings()


@pytest.mark.parametrize(
    ("text", "encoding"),
    [
        ("Größe groß", "cp850"),
        ("Größe groß", "mac_roman"),
        ("Größe groß", "cp1252"),
        ("Müller", "cp1252"),
        ("Łódź, część", "cp1250"),
        ("Příbram, Žďár", "cp1250"),
        ("Forêt; élève; hôtel; façade", "cp1252"),
        ("Señor Núñez, Málaga", "cp1252"),
        ("Ærø, Ålborg, Ødense", "cp1252"),
        ("Café", "cp850"),
        ("Café", "mac_roman"),
        ("深圳水表厂;测试", "gb18030"),
        ("臺北水表", "big5"),
        ("東京メーター", "cp932"),
        ("20°C, 5 µA, ±3", "cp1252"),
        ("“Test” – it’s", "cp1252"),
        ("MÜLLER GRÖSSE", "cp1252"),
    ],
)
def test_letters_tell_the_encoding(text, encoding):
    found = readings(text, encoding)
    assert found[0].cells == tuple(cell.strip() for cell in text.split(";") if not cell.isascii())
    assert not are_unclear(found)


@pytest.mark.parametrize(
    ("text", "encoding"),
    [
        ("Będzin", "cp1250"),
        ("Forêt", "cp1252"),
        ("Muñoz", "cp1252"),
        ("Şişli", "cp1254"),
        ("서울 계량기", "cp949"),
        ("Μετρητής", "cp1253"),
        ("Счётчик воды", "cp1251"),
        ("水", "gb18030"),
    ],
)
def test_where_another_encoding_reads_as_well_the_guess_is_unclear_and_the_right_one_is_offered(text, encoding):
    found = readings(text, encoding)
    assert are_unclear(found)
    assert text in {reading.cells[0] for reading in found[:5]}


def test_encodings_that_read_the_same_are_one_reading():
    assert [reading.encoding for reading in readings("Müller", "cp1252") if reading.cells == ("Müller",)] == ["cp1252"]


def test_no_reading_is_good_of_what_is_no_text():
    assert are_unclear(readings("\x81\x8d".encode("latin-1").decode("cp850"), "cp850"))


def test_a_sample_is_small_however_large_the_file(tmp_path):
    path = tmp_path / "x.csv"
    path.write_bytes(b"serial;notes\n" + ("A;" + "深圳水表厂测试" * 300 + "\n").encode("gb18030") * 2000)
    began = time.process_time()
    table = open_table(path, "x.csv", checked=True)
    assert (table.encoding, sum(map(len, table.readings[0].cells)) < MOST) == ("gb18030", True)
    # Of processor time, and a hundred times what it takes.
    assert time.process_time() - began < 60


def test_an_encoding_that_was_chosen_is_used_and_refused_where_it_can_not_be(tmp_path):
    path = tmp_path / "x.csv"
    path.write_bytes("serial;notes\nA;Będzin\n".encode("cp1250"))
    assert list(open_table(path, "x", encoding="cp1250").rows())[1] == (2, ["A", "Będzin"])
    assert list(open_table(path, "x").rows())[1] == (2, ["A", "Bêdzin"])
    with pytest.raises(Refused) as caught:
        open_table(path, "x", encoding="cp932" if not _reads(path, "cp932") else "utf-8")
    assert (caught.value.code, caught.value.status) == ("unreadable_text", 422)


def _reads(path, encoding: str) -> bool:
    try:
        path.read_bytes().decode(encoding)
    except UnicodeError:
        return False
    return True


def test_utf_8_is_known_for_sure(tmp_path):
    path = tmp_path / "x.csv"
    path.write_bytes("serial;notes\nA;Łódź\n".encode())
    table = open_table(path, "x")
    assert (table.encoding, table.readings) == ("utf-8", ())


@pytest.mark.parametrize("encoding", NAMES)
def test_every_encoding_leaves_the_separators_alone(tmp_path, encoding):
    path = tmp_path / "x.csv"
    path.write_bytes(b"serial;notes\nA;\xc4\xd6\n")
    try:
        rows = list(open_table(path, "x", encoding=encoding).rows())
    except Refused as refusal:
        assert refusal.code == "unreadable_text"
    else:
        assert [len(cells) for _number, cells in rows] == [2, 2]
