"""Labels can be read by scanners and people: on every stock, in every format, however long the names are."""

import csv
import io
import zipfile
from dataclasses import replace
from xml.etree import ElementTree

import pypdfium2
import pytest
import zxingcpp
from PIL import Image

from claims import codes
from claims.labels import pictures
from claims.labels.drawing import FIELDS, LEAST_TYPE, POINT, Layout, Options, Unit, encode
from claims.labels.stocks import A4, LEAST_MODULE, LETTER, QUIET, STOCKS
from claims.labels.writers import open_writer
from claims.paper import fonts
from claims.scanning import photos as reading

LONG = {
    "serial": "AQM26-000001-REV-C-EUROPEAN-OUTDOOR-VARIANT-WITH-A-LONG-NAME-77",
    "product": "Ultraschall-Wasserzähler für Großanlagen, DN 150, mit Impulsausgang",
    "brand": "Stadtwerke Nördlicher Breisgau Messdienstleistungen GmbH & Co. KG",
    "name": "e00fce68aaaabbbbccccddddeeeeffff0000111122223333444455556666777",
}


def unit(number: int, **fields) -> Unit:
    token = codes.sha256(f"label {number}")[:26].upper().translate(str.maketrans("ABCDEF", "KMNPQR"))
    values = {
        "serial": f"AQM26-{number:06d}",
        "product": "Aqua Meter",
        "brand": "Northlake",
        "name": f"e00fce68{number:016x}",
        "typed": "7K3M-9QXD-2F8T-C",
        **fields,
    }
    return Unit(number, f"HTTPS://CUSTODY.EXAMPLE.COM/C/{token}", **values)


def printed(form: str, units: list[Unit], **options) -> bytes:
    file = io.BytesIO()
    writer = open_writer(form, file, Options(**{"stock": "L7160", "text": "Scan to claim", **options}))
    for each in units:
        writer.add(each)
    writer.close()
    return file.getvalue()


def pages(data: bytes, dpi: int = 200) -> list[Image.Image]:
    """Return the pages of a PDF as a printer with this resolution prints them."""
    document = pypdfium2.PdfDocument(data)
    found = [page.render(scale=dpi / 72, grayscale=True).to_pil() for page in document]
    document.close()
    return found


def scanned(picture: Image.Image) -> list[str]:
    return reading.in_order(zxingcpp.read_barcodes(picture, formats=zxingcpp.BarcodeFormat.QRCode))


@pytest.mark.parametrize("stock", STOCKS)
@pytest.mark.parametrize("fields", [{}, LONG], ids=["short", "long"])
def test_every_code_on_a_full_sheet_and_the_next_one_scans_at_200_dpi(stock, fields):
    units = [unit(number, **fields) for number in range(STOCKS[stock].per_page + 1)]
    data = printed("pdf", units, stock=stock, fields=tuple(FIELDS), outline=True)
    drawn = pages(data)
    assert len(drawn) == 2
    assert [text for picture in drawn for text in scanned(picture)] == [each.link for each in units]


@pytest.mark.parametrize("stock", STOCKS.values(), ids=str)
def test_each_stock_fits_its_page_and_its_codes_are_coarse_enough(stock):
    right, below = (place + side for place, side in zip(stock.place(stock.per_page - 1), stock.label, strict=True))
    assert stock.left >= 0
    assert stock.top >= 0
    assert right <= stock.page[0] + 1e-6
    assert below <= stock.page[1] + 1e-6
    # The grid is centered on the page.
    assert (stock.left, stock.top) == pytest.approx((stock.page[0] - right, stock.page[1] - below), abs=1e-6)
    assert stock.module(encode(unit(1).link).size) >= LEAST_MODULE


def test_stock_dimensions_match_the_manufacturers_specifications():
    def grid(key):
        stock = STOCKS[key]
        return (stock.page, stock.label, stock.columns, stock.rows, round(stock.across, 2), round(stock.left, 2))

    assert grid("L7160") == (A4, (63.5, 38.1), 3, 7, 66.04, 7.21)
    assert grid("L7651") == (A4, (38.1, 21.2), 5, 13, 40.64, 4.67)
    assert grid("3475") == (A4, (70.0, 36.0), 3, 8, 70.0, 0.0)
    assert grid("5160") == (LETTER, (66.675, 25.4), 3, 10, 69.85, 4.76)
    assert STOCKS["5163"].place(3) == pytest.approx((110.33, 63.5), abs=0.01)
    assert str(STOCKS["5160"]) == "Avery 5160, 30 labels of 2 5/8 × 1 in"
    assert str(STOCKS["50x25"]) == "Thermal roll, 50 × 25 mm"


@pytest.mark.parametrize("stock", STOCKS)
@pytest.mark.parametrize("fields", [{}, LONG], ids=["short", "long"])
def test_text_stays_within_the_label_and_off_the_code(stock, fields):
    layout = Layout(Options(stock, "Scan to claim, or go to our website", tuple(FIELDS)))
    drawn = layout.draw(unit(1, **fields))
    (width, height), symbol = layout.stock.label, drawn.symbol
    assert [words.text for words in drawn.words][4] == "7K3M-9QXD-2F8T-C"
    for words in drawn.words:
        assert words.x >= symbol.x + (symbol.matrix.size + QUIET) * symbol.module - 1e-6
        assert words.x + words.width <= width
        assert words.y - words.size * POINT >= 0
        assert words.y + 0.3 * words.size * POINT <= height
        assert words.size >= LEAST_TYPE * 0.8 - 0.01


def test_a_long_product_name_is_cut_at_the_end_and_a_long_serial_number_at_the_start():
    words = Layout(Options("L7160", "", ("product", "serial"))).draw(unit(1, **LONG)).words
    assert words[0].text.startswith("Ultraschall")
    assert words[0].text.endswith("…")
    assert words[1].text.startswith("…")
    assert words[1].text.endswith("NAME-77")


def test_a_letter_missing_from_our_typeface_is_drawn_in_another_or_without_its_accent():
    assert fonts.set_in("Zähler", False) == ("Vera", "Zähler")
    face, text = fonts.set_in("Čerpadlo ő", True)
    assert text == "Čerpadlo ő" if face == "DejaVuBd" else text == "Cerpadlo o"


def test_a_chinese_typeface_is_used_if_installed_and_otherwise_its_letters_are_reported_missing(monkeypatch):
    for path, expected in (([], ("?", "水")), ([fonts._OWN / "VeraIt.ttf"], ("?", "水"))):
        monkeypatch.setitem(fonts._FILES, "Cjk", path)
        for each in (fonts.path_of, fonts.font, fonts.set_in):
            each.cache_clear()
        assert (fonts.set_in("水", False)[1], fonts.lacking("水")) == expected
    # A typeface that has it, whatever its name is.
    monkeypatch.setattr(fonts.font("Cjk").face, "charToGlyph", {ord("水"): 1, ord("A"): 2})
    fonts.set_in.cache_clear()
    assert fonts.set_in("水A", True) == ("Cjk", "水A")
    assert (fonts.lacking("水A"), fonts.lacking("水ä")) == ("", "水")
    fonts.set_in.cache_clear()


def test_right_to_left_text_is_never_set_and_reported_missing():
    assert fonts.lacking("عداد 5") == "عدا"
    assert fonts.set_in("מונה", False)[1] == "????"


def test_only_the_chosen_fields_are_on_the_label():
    layout = Layout(Options("L7160", "", ("serial",)))
    assert [words.text for words in layout.draw(unit(7)).words] == ["AQM26-000007"]
    layout = Layout(Options("L7160", "Scan me", ()))
    assert [words.text for words in layout.draw(unit(7)).words] == ["Scan me"]


def test_a_partly_used_sheet_continues_at_the_next_free_label():
    units = [unit(number) for number in range(4)]
    first, second = pages(printed("pdf", units, start=20))
    assert scanned(first) == [units[0].link, units[1].link]
    # Labels 20 and 21 of 21 are in the last row, the second and third of it.
    left, top = (round(side * 200 / 25.4) for side in STOCKS["L7160"].place(19))
    assert scanned(first.crop((left, top, first.width, first.height))) == [units[0].link, units[1].link]
    assert scanned(second) == [units[2].link, units[3].link]


def test_a_slanted_photo_of_a_printed_sheet_is_read_label_by_label():
    units = [unit(number) for number in range(65)]
    paper = pages(printed("pdf", units, stock="L7651"), dpi=300)[0]
    photo, file = paper.rotate(7, expand=True, fillcolor=180, resample=Image.Resampling.BICUBIC), io.BytesIO()
    photo.save(file, "JPEG", quality=60)
    assert reading.read(file.getvalue()) == [each.link for each in units]


def test_calibration_shifts_everything_right_and_down():
    plain, moved = (pages(printed("pdf", [unit(1)], **shift))[0] for shift in ({}, {"shift_x": 2, "shift_y": 3}))
    at = [zxingcpp.read_barcodes(picture)[0].position.top_left for picture in (plain, moved)]
    assert (at[1].x - at[0].x, at[1].y - at[0].y) == pytest.approx((2 * 200 / 25.4, 3 * 200 / 25.4), abs=2)


def test_outlines_are_only_drawn_on_a_test_print():
    def dark(picture: Image.Image) -> int:
        left, top = (round(side * 200 / 25.4) for side in STOCKS["L7160"].place(0))
        return sum(
            value < 250 for value in picture.crop((left + 40, top - 3, left + 400, top + 3)).get_flattened_data()
        )

    assert dark(pages(printed("pdf", [unit(1)]))[0]) == 0
    assert dark(pages(printed("pdf", [unit(1)], outline=True))[0]) > 300


@pytest.mark.parametrize("form", ["pdf", "svg", "png", "csv"])
def test_the_same_labels_produce_the_same_bytes(form):
    units = [unit(number, **LONG) for number in range(3)]
    assert printed(form, units, outline=True) == printed(form, units, outline=True)


def test_a_zip_of_png_has_a_scannable_picture_for_each_label():
    units = [unit(number) for number in range(3)]
    with zipfile.ZipFile(io.BytesIO(printed("png", units, stock="DK-11209"))) as archive:
        assert archive.namelist() == [f"{n + 1:05d}-aqm26-{n:06d}.png" for n in range(3)]
        found = [Image.open(archive.open(name)) for name in archive.namelist()]
        assert [scanned(picture) for picture in found] == [[each.link] for each in units]
    assert found[0].size == (732, 343)
    assert round(found[0].info["dpi"][0]) == 300


def test_a_zip_of_svg_has_the_texts_and_modules_of_each_label():
    one = unit(1, product='Meter <b>&"')
    with zipfile.ZipFile(io.BytesIO(printed("svg", [one], stock="50x25"))) as archive:
        root = ElementTree.fromstring(archive.read(archive.namelist()[0]))
    name = "{http://www.w3.org/2000/svg}"
    texts = [text.text for text in root.iter(f"{name}text")]
    assert texts == ["Northlake", 'Meter <b>&"', "AQM26-000001", "7K3M-9QXD-2F8T-C", "Scan to claim"]
    assert (root.get("width"), root.get("height")) == ("50mm", "25mm")
    matrix = encode(one.link)
    path = next(root.iter(f"{name}path")).get("d")
    dark = sum(int(run.split("h")[1].split("v")[0]) for run in path.split("M")[1:])
    assert dark == sum(value == 0 for value in matrix.picture().get_flattened_data())


def test_the_csv_has_what_label_software_needs_and_no_formulas():
    rows = list(csv.reader(io.StringIO(printed("csv", [unit(1), unit(2, serial="=1+1")]).decode("utf-8-sig"))))
    assert rows[0] == ["serial_number", "product", "link", "typed_code", "device_name"]
    assert rows[1] == ["AQM26-000001", "Aqua Meter", unit(1).link, "7K3M-9QXD-2F8T-C", unit(1).name]
    assert rows[2][0] == "'=1+1"


def test_the_preview_shows_the_page_as_printed():
    units = [replace(unit(1), serial=f"S-{n}") for n in range(5)]
    text = pictures.page_svg(Options("L7160", "Scan to claim", start=19), units)
    root = ElementTree.fromstring(text)
    assert root.get("viewBox") == "0 0 210 297"
    assert text.count("<rect") == 22
    # Three labels were free, and the code that they share is defined once.
    assert text.count("<use") == 3
    assert text.count("<path") == 1


def test_a_code_too_large_for_a_label_is_detected():
    long = encode("HTTPS://CLAIM.NORTHLAKE-METERING-INTERNATIONAL.EXAMPLE.COM/C/" + "0" * 26)
    assert long.size > 29
    assert not STOCKS["5167"].fits(long.size)
    assert STOCKS["L7160"].fits(long.size)
