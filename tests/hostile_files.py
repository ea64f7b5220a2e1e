"""A corpus of files that nobody should have to read: bombs, liars, other formats and broken ones."""

import io
import random
import struct
import zipfile
import zlib
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path

MAIN = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
RELATIONS = "http://schemas.openxmlformats.org/package/2006/relationships"
OFFICE = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
MEBIBYTE = 1024 * 1024


@dataclass(frozen=True)
class Hostile:
    """One file: how it is made, the code of its refusal, and whether its size is what makes it hostile."""

    name: str
    make: Callable[[Path], None]
    code: str
    is_heavy: bool = False


CORPUS: list[Hostile] = []


def hostile(name: str, code: str, *, is_heavy: bool = False) -> Callable:
    """Add a file to the corpus; the function below writes it, or returns what it holds."""

    def add(make: Callable[[], bytes] | Callable[[Path], None]) -> Callable:
        def write(path: Path) -> None:
            if make.__code__.co_argcount:
                make(path)
            else:
                path.write_bytes(make())

        CORPUS.append(Hostile(name, write, code, is_heavy))
        return make

    return add


# Workbooks by hand, so that they can be wrong.


def parts_of_a_workbook(sheet: str = "<row><c><v>1</v></c></row>", **changes: str | bytes) -> dict[str, bytes]:
    """The parts of a small workbook. `sheet` is what its one sheet holds; `changes` replace whole parts.

    The keys of the changes are "types", "root", "book", "relations", "sheet1", "strings" and "styles".
    """
    names = {
        "types": "[Content_Types].xml",
        "root": "_rels/.rels",
        "book": "xl/workbook.xml",
        "relations": "xl/_rels/workbook.xml.rels",
        "strings": "xl/sharedStrings.xml",
        "styles": "xl/styles.xml",
        "sheet1": "xl/worksheets/sheet1.xml",
    }
    parts: dict[str, str | bytes] = {
        "types": '<Types xmlns="http://schemas.openxmlformats.org/package/2006/content-types"/>',
        "root": relations({"r1": ("officeDocument", "xl/workbook.xml")}),
        "book": f'<workbook xmlns="{MAIN}" xmlns:r="{OFFICE}"><sheets>'
        '<sheet name="Lot" sheetId="1" r:id="r1"/></sheets></workbook>',
        "relations": relations(
            {
                "r1": ("worksheet", "worksheets/sheet1.xml"),
                "r2": ("sharedStrings", "sharedStrings.xml"),
                "r3": ("styles", "styles.xml"),
            }
        ),
        "strings": f'<sst xmlns="{MAIN}"><si><t>one</t></si></sst>',
        "styles": f'<styleSheet xmlns="{MAIN}"><cellXfs><xf numFmtId="0"/></cellXfs></styleSheet>',
        "sheet1": f'<worksheet xmlns="{MAIN}"><sheetData>{sheet}</sheetData></worksheet>',
    }
    parts |= changes
    return {names[key]: text.encode() if isinstance(text, str) else text for key, text in parts.items()}


def relations(targets: dict[str, tuple[str, str]]) -> str:
    """A part of relations: id to (kind, target)."""
    entries = "".join(
        f'<Relationship Id="{key}" Type="{OFFICE}/{kind}" Target="{target}"/>'
        for key, (kind, target) in targets.items()
    )
    return f'<Relationships xmlns="{RELATIONS}">{entries}</Relationships>'


def archive(parts: dict[str, bytes], compression: int = zipfile.ZIP_DEFLATED) -> bytes:
    """The parts as a zip archive."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", compression, compresslevel=1) as target:
        for name, content in parts.items():
            target.writestr(name, content)
    return buffer.getvalue()


def workbook(sheet: str = "<row><c><v>1</v></c></row>", **changes: str | bytes) -> bytes:
    """A workbook as the bytes of its file; see `parts_of_a_workbook`."""
    return archive(parts_of_a_workbook(sheet, **changes))


def write_inflating(path: Path, name: str, pieces: Iterable[bytes]) -> None:
    """A workbook of which one part is written piece by piece, too large to be held."""
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as target:
        for other, content in parts_of_a_workbook().items():
            if other != name:
                target.writestr(other, content)
        with target.open(name, "w", force_zip64=True) as part:
            for piece in pieces:
                part.write(piece)


def directory_entry(name: bytes, content: bytes, declared: int, crc: int, offset: int) -> tuple[bytes, bytes]:
    """A local entry and its line in the directory, which may declare anything."""
    packer = zlib.compressobj(1, zlib.DEFLATED, -15)
    packed = packer.compress(content) + packer.flush()
    common = struct.pack("<HHHHHLLLHH", 20, 0, 8, 0, 33, crc, len(packed), declared, len(name), 0)
    return (
        b"PK\x03\x04" + common + name + packed,
        b"PK\x01\x02" + struct.pack("<H", 20) + common + struct.pack("<HHHLL", 0, 0, 0, 0, offset) + name,
    )


SHEET_START = f'<worksheet xmlns="{MAIN}"><sheetData>'.encode()
SHEET_END = b"</sheetData></worksheet>"
SHEET = "xl/worksheets/sheet1.xml"
STRINGS = "xl/sharedStrings.xml"


# Nothing, or nothing readable.


@hostile("empty.csv", "empty_file")
def _() -> bytes:
    return b""


@hostile("only-empty-lines.csv", "empty_file")
def _() -> bytes:
    return b"\r\n;;;\r\n" * 500


@hostile("nul-at-the-start.csv", "unknown_file")
def _() -> bytes:
    return b"serial,name\n\x00\x00,a\n"


@hostile("nul-far-behind.csv", "unknown_file")
def _() -> bytes:
    return b"serial,name\n" + b"a,b\n" * 30_000 + b"a,\x00b\n"


@hostile("noise.bin", "unknown_file")
def _() -> bytes:
    return random.Random(1).randbytes(300_000)


@hostile("noise-without-nul.bin", "unknown_file")
def _() -> bytes:
    return random.Random(2).randbytes(300_000).replace(b"\0", b"\x01")


@hostile("marked-as-utf-8-and-broken.csv", "unreadable_text")
def _() -> bytes:
    return b"\xef\xbb\xbfserial,name\nm\xfcll,b\n"


@hostile("half-a-utf-16-character.csv", "unreadable_text")
def _() -> bytes:
    return "serial,name\na,b\n".encode("utf-16") + b"a"


# Separated values that do not end.


@hostile("larger-than-permitted.csv", "file_too_large", is_heavy=True)
def _(path: Path) -> None:
    path.write_bytes(b"serial,name\n")
    with path.open("r+b") as file:
        file.truncate(200 * MEBIBYTE)


@hostile("ten-million-rows.csv", "too_many_rows", is_heavy=True)
def _(path: Path) -> None:
    with path.open("wb") as file:
        for _number in range(100):
            file.write(b"a,b\n" * 100_000)


@hostile("ten-million-empty-lines.csv", "too_many_rows", is_heavy=True)
def _(path: Path) -> None:
    with path.open("wb") as file:
        file.write(b"a,b\n")
        for _number in range(100):
            file.write(b"\n" * 100_000)


@hostile("one-line.csv", "endless_row", is_heavy=True)
def _(path: Path) -> None:
    with path.open("wb") as file:
        file.write(b"serial,name\n")
        for _number in range(45):
            file.write("ä,".encode() * (MEBIBYTE // 3))


@hostile("one-record-of-many-lines.csv", "endless_row", is_heavy=True)
def _(path: Path) -> None:
    with path.open("wb") as file:
        file.write(b"serial,name\n")
        for _number in range(40):
            file.write(b'"a\n",' * (MEBIBYTE // 5))


@hostile("quote-never-closed.csv", "endless_row")
def _() -> bytes:
    return b'serial,name\na,"b\n'


@hostile("quote-never-closed-in-a-long-file.csv", "endless_row")
def _() -> bytes:
    return b'serial,name\na,"b\n' + b"c,d\n" * 100_000


@hostile("text-after-a-quote.csv", "broken_quotes")
def _() -> bytes:
    return b'serial,name\n"a"b,c\n'


@hostile("sixty-five-columns.csv", "too_many_columns")
def _() -> bytes:
    return b"a," * 64 + b"a\n"


@hostile("half-a-million-columns.csv", "too_many_columns", is_heavy=True)
def _() -> bytes:
    return b"serial,name\n" + b"," * 500_000 + b"x\n"


# Other formats under a friendly name.


@hostile("old.xls", "old_excel")
def _() -> bytes:
    return b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + b"\0" * 2000 + "Workbook".encode("utf-16-le") + b"\0" * 2000


@hostile("password.xlsx", "protected_file")
def _() -> bytes:
    mark = "EncryptedPackage".encode("utf-16-le")
    # Across the border of two reads.
    return b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + b"\0" * (MEBIBYTE - 20) + mark + b"\0" * 2000


@hostile("document.pdf", "unknown_file")
def _() -> bytes:
    return b"%PDF-1.7\n1 0 obj\n"


@hostile("picture.csv", "unknown_file")
def _() -> bytes:
    return b"\x89PNG\r\n\x1a\n" + b"\0" * 100


@hostile("packed.csv.gz", "unknown_file")
def _() -> bytes:
    return b"\x1f\x8b\x08" + b"\0" * 100


@hostile("web-page.xls", "unknown_file")
def _() -> bytes:
    return b"\xef\xbb\xbf \r\n<HTML><table><tr><td>serial</td></tr></table></html>"


@hostile("bomb-of-entities.csv", "unknown_file")
def _() -> bytes:
    return b'<?xml version="1.0"?><!DOCTYPE x [<!ENTITY a "aaaa">]><x>&a;</x>'


@hostile("letter.docx", "unknown_file")
def _() -> bytes:
    return archive({"[Content_Types].xml": b"<Types/>", "word/document.xml": b"<document/>"})


@hostile("binary.xlsb", "unknown_file")
def _() -> bytes:
    return archive({"[Content_Types].xml": b"<Types/>", "xl/workbook.bin": b"\x83\x01\x00"})


@hostile("sheet.ods", "unknown_file")
def _() -> bytes:
    return archive({"mimetype": b"application/vnd.oasis.opendocument.spreadsheet", "content.xml": b"<x/>"})


@hostile("empty-archive.xlsx", "unknown_file")
def _() -> bytes:
    return archive({})


# Archives that lie or burst.


@hostile("cut-short.xlsx", "damaged_file")
def _() -> bytes:
    return workbook()[:-200]


@hostile("first-bytes-only.xlsx", "damaged_file")
def _() -> bytes:
    return b"PK\x03\x04"


@hostile("bytes-changed.xlsx", "damaged_file")
def _() -> bytes:
    content = bytearray(archive(parts_of_a_workbook(), zipfile.ZIP_STORED))
    content[content.index(b"<v>1</v>") + 3] ^= 1
    return bytes(content)


@hostile("bomb.xlsx", "too_large_inside", is_heavy=True)
def _(path: Path) -> None:
    write_inflating(path, SHEET, [SHEET_START, *[b" " * MEBIBYTE] * 120, SHEET_END])


@hostile("bomb-of-regular-rows.xlsx", "too_large_inside", is_heavy=True)
def _(path: Path) -> None:
    rows = b"<row>" + b"<c><v>1</v></c>" * 8 + b"</row>"
    write_inflating(path, SHEET, [SHEET_START, *[rows * 8000] * 90, SHEET_END])


@hostile("bomb-in-many-parts.xlsx", "too_large_inside", is_heavy=True)
def _(path: Path) -> None:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as target:
        for name, content in parts_of_a_workbook().items():
            target.writestr(name, content)
        for number in range(20):
            target.writestr(f"xl/worksheets/other{number}.xml", b"<x>" + b" " * 7 * MEBIBYTE + b"</x>")


@hostile("bomb-that-declares-little.xlsx", "damaged_file", is_heavy=True)
def _(path: Path) -> None:
    burst = SHEET_START + b" " * (120 * MEBIBYTE) + SHEET_END
    path.write_bytes(lying_workbook(burst, declared=1000))


@hostile("bomb-that-declares-little-with-the-right-sum.xlsx", "damaged_file", is_heavy=True)
def _(path: Path) -> None:
    burst = SHEET_START + b" " * (120 * MEBIBYTE) + SHEET_END
    path.write_bytes(lying_workbook(burst, declared=1000, crc=zlib.crc32(burst[:1000])))


@hostile("bombs-within-bombs.xlsx", "damaged_file")
def _() -> bytes:
    content = b"0" * MEBIBYTE
    for depth in range(4):
        content = archive({f"{depth}-{number}.zip": content for number in range(16)})
    return workbook(sheet1=content)


@hostile("parts-over-each-other.xlsx", "damaged_file")
def _() -> bytes:
    return lying_workbook(SHEET_START + b"<row><c><v>1</v></c></row>" + SHEET_END, declared=None, is_shared=True)


@hostile("many-entries.xlsx", "too_large_inside")
def _() -> bytes:
    return archive(parts_of_a_workbook() | {f"xl/other/{number}.xml": b"<x/>" for number in range(2500)})


@hostile("half-a-million-entries.xlsx", "too_large_inside", is_heavy=True)
def _(path: Path) -> None:
    entry = b"PK\x01\x02" + b"\0" * 42
    local = b"PK\x03\x04" + b"\0" * 26
    with path.open("wb") as file:
        file.write(local)
        for _number in range(50):
            file.write(entry * 10_000)
        file.write(b"PK\x05\x06" + struct.pack("<HHHHLLH", 0, 0, 1, 1, 46 * 500_000, len(local), 0))


@hostile("long-names.xlsx", "too_large_inside", is_heavy=True)
def _() -> bytes:
    return archive(parts_of_a_workbook() | {f"{number}{'n' * 60_000}.xml": b"" for number in range(300)})


@hostile("directory-of-64-bits.xlsx", "damaged_file")
def _() -> bytes:
    content = workbook()
    end = content.rindex(b"PK\x05\x06")
    size, start = struct.unpack("<LL", content[end + 12 : end + 20])
    count = len(parts_of_a_workbook())
    wide = b"PK\x06\x06" + struct.pack("<QHHLLQQQQ", 44, 45, 45, 0, 0, count, count, size, start)
    locator = b"PK\x06\x07" + struct.pack("<LQL", 0, end, 1)
    return content[:end] + wide + locator + content[end:]


@hostile("encrypted-part.xlsx", "protected_file")
def _() -> bytes:
    content = bytearray(workbook())
    content[content.index(b"PK\x01\x02") + 8] |= 1
    return bytes(content)


@hostile("packed-with-lzma.xlsx", "damaged_file")
def _() -> bytes:
    return archive(parts_of_a_workbook(), zipfile.ZIP_LZMA)


def lying_workbook(sheet: bytes, *, declared: int | None, crc: int | None = None, is_shared: bool = False) -> bytes:
    """A workbook whose directory declares another size of its sheet, or has all parts lie on the first."""
    parts = parts_of_a_workbook(sheet1=sheet)
    body, directory = b"", b""
    for name, content in parts.items():
        size = declared if name == SHEET and declared is not None else len(content)
        check = crc if name == SHEET and crc is not None else zlib.crc32(content)
        offset = 0 if is_shared else len(body)
        local, line = directory_entry(name.encode(), content, size, check, offset)
        body += local
        directory += line
    count = len(parts)
    return body + directory + b"PK\x05\x06" + struct.pack("<HHHHLLH", 0, 0, count, count, len(directory), len(body), 0)


# XML that is no honest sheet.

LAUGHS = (
    '<?xml version="1.0"?><!DOCTYPE x [<!ENTITY a "ha">'
    + "".join(f'<!ENTITY {chr(98 + n)} "{f"&{chr(97 + n)};" * 10}">' for n in range(9))
    + "]>"
)


@hostile("entities-in-the-strings.xlsx", "damaged_file")
def _() -> bytes:
    return workbook(strings=f'{LAUGHS}<sst xmlns="{MAIN}"><si><t>&j;</t></si></sst>')


@hostile("entities-in-the-styles.xlsx", "damaged_file")
def _() -> bytes:
    return workbook(styles=f'{LAUGHS}<styleSheet xmlns="{MAIN}"/>')


@hostile("entities-in-a-part-that-nobody-reads.xlsx", "damaged_file")
def _() -> bytes:
    return archive(parts_of_a_workbook() | {"docProps/core.xml": f"{LAUGHS}<x>&j;</x>".encode()})


@hostile("document-type-across-two-reads.xlsx", "damaged_file")
def _() -> bytes:
    start = b"<?xml version='1.0'?>"
    return workbook(sheet1=start + b" " * (64 * 1024 - len(start) - 4) + b"<!DOCTYPE worksheet><worksheet/>")


@hostile("document-type-in-utf-16.xlsx", "damaged_file")
def _() -> bytes:
    return workbook(sheet1=f'{LAUGHS}<worksheet xmlns="{MAIN}"/>'.encode("utf-16"))


@hostile("other-code-page.xlsx", "damaged_file")
def _() -> bytes:
    sheet = f'<?xml version="1.0" encoding="cp037"?><worksheet xmlns="{MAIN}"><sheetData/></worksheet>'
    return workbook(sheet1=sheet.encode("cp037"))


@hostile("cell-in-the-last-corner.xlsx", "too_many_columns")
def _() -> bytes:
    return workbook('<row r="1"><c r="A1"><v>1</v></c></row><row r="1048576"><c r="XFD1048576"><v>1</v></c></row>')


@hostile("cell-in-the-last-row.xlsx", "too_many_rows")
def _() -> bytes:
    return workbook('<row r="1"><c r="A1"><v>1</v></c></row><row r="1048576"><c r="A1048576"><v>1</v></c></row>')


@hostile("too-many-rows.xlsx", "too_many_rows", is_heavy=True)
def _() -> bytes:
    return workbook("<row><c><v>1</v></c></row>" * 250_001)


@hostile("too-many-columns.xlsx", "too_many_columns")
def _() -> bytes:
    return workbook(f"<row>{'<c><v>1</v></c>' * 65}</row>")


@hostile("tags-without-end.xlsx", "too_large_inside", is_heavy=True)
def _(path: Path) -> None:
    write_inflating(path, SHEET, [SHEET_START, *[b"<a/>" * 250_000] * 49, SHEET_END])


@hostile("tags-within-tags.xlsx", "damaged_file", is_heavy=True)
def _(path: Path) -> None:
    write_inflating(path, SHEET, [SHEET_START, *[b"<abcdefgh>" * 100_000] * 50])


@hostile("every-tag-another-name.xlsx", "damaged_file", is_heavy=True)
def _() -> bytes:
    return workbook("".join(f"<n{number}/>" for number in range(2_000_000)))


@hostile("every-attribute-another-name.xlsx", "damaged_file", is_heavy=True)
def _() -> bytes:
    return workbook("".join(f'<c a{number}=""/>' for number in range(1_000_000)))


@hostile("tag-of-many-attributes.xlsx", "damaged_file", is_heavy=True)
def _() -> bytes:
    return workbook("<row " + " ".join(f'a{number}=""' for number in range(1_000_000)) + "/>")


@hostile("comment-without-end.xlsx", "damaged_file", is_heavy=True)
def _(path: Path) -> None:
    write_inflating(path, SHEET, [SHEET_START, b"<!--", *[random.Random(3).randbytes(1000).hex().encode() * 500] * 60])


@hostile("text-of-a-cell.xlsx", "too_large_inside", is_heavy=True)
def _(path: Path) -> None:
    text = random.Random(4).randbytes(500).hex().encode()
    cell = b'<row><c t="str"><v>'
    write_inflating(path, SHEET, [SHEET_START, cell, *[text * 1000] * 60, b"</v></c></row>", SHEET_END])


@hostile("text-in-many-pieces.xlsx", "too_large_inside")
def _() -> bytes:
    return workbook(f'<row><c t="inlineStr"><is>{"<r><t>abcdefgh</t></r>" * 5000}</is></c></row>')


@hostile("text-of-a-shared-string.xlsx", "too_large_inside", is_heavy=True)
def _(path: Path) -> None:
    text = random.Random(5).randbytes(500).hex().encode()
    start = f'<sst xmlns="{MAIN}"><si><t>'.encode()
    write_inflating(path, STRINGS, [start, *[text * 1000] * 60, b"</t></si></sst>"])


@hostile("shared-strings-without-end.xlsx", "too_large_inside", is_heavy=True)
def _(path: Path) -> None:
    start = f'<sst xmlns="{MAIN}">'.encode()
    write_inflating(path, STRINGS, [start, *[b"<si><t>ab</t></si>" * 50_000] * 52, b"</sst>"])


@hostile("a-million-shared-strings.xlsx", "too_large_inside", is_heavy=True)
def _() -> bytes:
    strings = "".join(f"<si><t>s{number:x}</t></si>" for number in range(1_000_000))
    rows = "".join(
        "<row>" + "".join(f'<c t="s"><v>{row + column}</v></c>' for column in range(5)) + "</row>"
        for row in range(0, 1_000_000, 5)
    )
    return workbook(rows, strings=f'<sst xmlns="{MAIN}">{strings}</sst>')


@hostile("a-million-strings-under-another-name.xlsx", "too_large_inside", is_heavy=True)
def _() -> bytes:
    strings = "".join(f"<si><t>s{number:x}</t></si>" for number in range(1_000_000))
    parts = parts_of_a_workbook(
        '<row><c t="s"><v>0</v></c></row>',
        strings=f'<sst xmlns="{MAIN}">{strings}</sst>',
        relations=relations({"r1": ("worksheet", "worksheets/sheet1.xml"), "r2": ("sharedStrings", "texts.xml")}),
    )
    parts["xl/texts.xml"] = parts.pop(STRINGS)
    return archive(parts)


@hostile("formats-without-end.xlsx", "too_large_inside", is_heavy=True)
def _() -> bytes:
    made = "".join(f'<numFmt numFmtId="{n}" formatCode="{"0-" * 100}{n}"/>' for n in range(200, 70_000))
    return workbook(styles=f'<styleSheet xmlns="{MAIN}"><numFmts>{made}</numFmts><cellXfs><xf/></cellXfs></styleSheet>')


@hostile("merges-without-end.xlsx", "too_large_inside", is_heavy=True)
def _() -> bytes:
    merges = "".join(f'<mergeCell ref="{c}{n}:{c}{n + 1}"/>' for n in range(1, 130_000) for c in "AB")
    return workbook(sheet1=f'<worksheet xmlns="{MAIN}"><sheetData/><mergeCells>{merges}</mergeCells></worksheet>')


@hostile("one-text-merged-over-everything.xlsx", "too_large_inside", is_heavy=True)
def _() -> bytes:
    rows = (
        f'<row><c t="inlineStr"><is><t>{"long" * 8000}</t></is></c></row>' + "<row><c/><c><v>1</v></c></row>" * 200_000
    )
    merged = '<mergeCells><mergeCell ref="A1:A200001"/></mergeCells>'
    return workbook(sheet1=f'<worksheet xmlns="{MAIN}"><sheetData>{rows}</sheetData>{merged}</worksheet>')


@hostile("marks-of-merges-everywhere.xlsx", "damaged_file", is_heavy=True)
def _() -> bytes:
    rows = "<!--" + "<x:mergeCell ref " * 2_000_000
    return workbook(sheet1=f'<worksheet xmlns="{MAIN}"><sheetData>{rows}')


@hostile("one-string-everywhere.xlsx", "too_large_inside", is_heavy=True)
def _() -> bytes:
    row = "<row>" + '<c t="s"><v>0</v></c>' * 8 + "</row>"
    return workbook(row * 100_000, strings=f'<sst xmlns="{MAIN}"><si><t>{"long" * 8000}</t></si></sst>')


@hostile("styles-without-end.xlsx", "too_large_inside", is_heavy=True)
def _(path: Path) -> None:
    start = f'<styleSheet xmlns="{MAIN}"><cellXfs>'.encode()
    xf = b"".join(b'<xf numFmtId="%d"/>' % number for number in range(10_000))
    write_inflating(path, "xl/styles.xml", [start, *[xf] * 90, b"</cellXfs></styleSheet>"])


# Workbooks that contradict themselves.


@hostile("string-that-is-not-there.xlsx", "damaged_file")
def _() -> bytes:
    return workbook('<row><c t="s"><v>7</v></c></row>')


@hostile("string-before-the-first.xlsx", "damaged_file")
def _() -> bytes:
    return workbook('<row><c t="s"><v>-1</v></c></row>')


@hostile("style-that-is-not-there.xlsx", "damaged_file")
def _() -> bytes:
    return workbook('<row><c s="9"><v>1</v></c></row>')


@hostile("number-that-is-none.xlsx", "damaged_file")
def _() -> bytes:
    return workbook("<row><c><v>many</v></c></row>")


@hostile("number-beyond-all-bounds.xlsx", "damaged_file")
def _() -> bytes:
    return workbook("<row><c><v>1E999999999</v></c></row>")


@hostile("cell-of-another-row.xlsx", "damaged_file")
def _() -> bytes:
    return workbook('<row r="1"><c r="A2"><v>1</v></c></row>')


@hostile("rows-out-of-order.xlsx", "damaged_file")
def _() -> bytes:
    return workbook('<row r="2"><c><v>1</v></c></row><row r="1"><c><v>1</v></c></row>')


@hostile("row-of-a-million-digits.xlsx", "damaged_file")
def _() -> bytes:
    return workbook(f'<row r="{"9" * 200_000}"><c><v>1</v></c></row>')


@hostile("cell-within-a-cell.xlsx", "damaged_file")
def _() -> bytes:
    return workbook("<row><c><c><v>1</v></c></c></row>")


@hostile("cell-without-a-row.xlsx", "damaged_file")
def _() -> bytes:
    return workbook("<c><v>1</v></c>")


@hostile("xml-cut-short.xlsx", "damaged_file")
def _() -> bytes:
    return workbook(sheet1=SHEET_START + b"<row><c><v>1</v></c></row>")


@hostile("no-workbook-inside.xlsx", "unknown_file")
def _() -> bytes:
    parts = parts_of_a_workbook()
    parts["xl/other-workbook.xml"] = parts.pop("xl/workbook.xml")
    return archive(parts)


@hostile("sheet-outside.xlsx", "damaged_file")
def _() -> bytes:
    return workbook(relations=relations({"r1": ("worksheet", "../../../../etc/passwd.xml")}))


@hostile("sheet-without-relation.xlsx", "damaged_file")
def _() -> bytes:
    return workbook(relations=relations({}))


@hostile("no-sheets.xlsx", "empty_file")
def _() -> bytes:
    return workbook(book=f'<workbook xmlns="{MAIN}"/>')


@hostile("empty-sheet.xlsx", "empty_file")
def _() -> bytes:
    return workbook('<row r="5" s="1"><c r="XFD5" s="0"/></row><row r="1048576"/>')
