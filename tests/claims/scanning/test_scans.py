"""A scan means what was printed, whatever the scanner adds to it and whatever keyboard layout it uses."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from claims.models import ClaimCode
from claims.profiles import printed
from claims.returns.actions import returns
from claims.scanning import barcodes, keyboards, scans
from claims.shipments.actions import contents, shipments
from devices.models import Device
from tests import factories
from tests.claims.worlds import make_unit_profile

GS, RS, EOT = "\x1d", "\x1e", "\x04"
GTIN = "09506000134352"
SERIAL = "AQM26-200031"


@pytest.fixture
def unit(product):
    return factories.make_device(
        product, SERIAL, imei="490154203237518", iccid="8988303000000614227", mac="E0:4F:43:75:E4:55"
    )


@pytest.fixture
def shipment(customer, by):
    return shipments.create(customer=customer, lines={}, by=by)


def found(by, text):
    return scans.find(by, text).devices


# What scanners add around a code.


@pytest.mark.parametrize(
    "text",
    [
        f"]C0{SERIAL}",
        f"]Q3{SERIAL}",
        f"]d2{SERIAL}",
        f"]A0{SERIAL}",
        f"*{SERIAL}*",
        f'"{SERIAL}"',
        f"<{SERIAL}>",
        f"\ufeff{SERIAL}",
        "AQM26\u00ad-2000\u200b31",
        f"\x02{SERIAL}\x03",
        f"{SERIAL}{EOT}",
        f"{GS}{SERIAL}{RS}",
        f"\u202a{SERIAL}\u202c",
        f"\u00a0{SERIAL}\u3000",
        f"\0{SERIAL}\0",
        "ＡＱＭ２６-２０００３１",
        f"S/N: {SERIAL}",
        f"Serial No.: {SERIAL}",
        f"SN={SERIAL}",
        f"]C0*{SERIAL}*",
        f"Seriennummer: {SERIAL}",
    ],
)
def test_characters_around_a_code_are_dropped(by, unit, text):
    assert found(by, text) == [unit]


@pytest.mark.parametrize(
    ("text", "serial"),
    [
        # Element strings: with the symbology, with a leading FNC1, with brackets, and with none of them.
        (f"]C101{GTIN}21{SERIAL}", SERIAL),
        (f"]d201{GTIN}21{SERIAL}{GS}10LOT-7", SERIAL),
        (f"]Q301{GTIN}10LOT-7{GS}21{SERIAL}", SERIAL),
        (f"{GS}01{GTIN}1726113021{SERIAL}", SERIAL),
        (f"01{GTIN}21{SERIAL}", SERIAL),
        (f"01{GTIN}21{SERIAL}{GS}3103000512", SERIAL),
        (f"(01){GTIN}(21){SERIAL}", SERIAL),
        (f"(01){GTIN}(21){SERIAL}(10)LOT", SERIAL),
        (f"]C121{SERIAL}", SERIAL),
        ("(21)A(1)B", "A(1)B"),
        (f"]C141 {SERIAL}", ""),
        # Not valid: no check digit, no serial number, a value that is too short, an unknown identifier.
        (f"0109506000134353121{SERIAL}", ""),
        (f"(01){GTIN}(10)LOT", ""),
        ("]C1010950600", ""),
        (f"]C188{SERIAL}", ""),
        (SERIAL, ""),
        ("(hello", ""),
        # Digital Links, also with a path in front, in upper case, percent-encoded, and with the serial in the query.
        (f"https://id.gs1.org/01/{GTIN}/21/{SERIAL}", SERIAL),
        (f"HTTPS://ID.GS1.ORG/01/{GTIN}/21/{SERIAL}", SERIAL),
        (f"https://maker.example/p/01/{GTIN}/10/LOT%2F7/21/A%2FB%2B1?17=261130", "A/B+1"),
        (f"https://maker.example/01/{GTIN}?21={SERIAL}&17=261130", SERIAL),
        (f"https://maker.example/01/9506000134352/21/{SERIAL}", SERIAL),
        ("https://maker.example/?x=1&21=A+B%20C", "A+B C"),
        (f"https://maker.example/01/{GTIN}/10/LOT", ""),
        (f"https://maker.example/01/123/21/{SERIAL}", ""),
        ("http://[broken/01/x/21/y", ""),
        ("https://maker.example/01/%ff/21/%zz", ""),
    ],
)
def test_gs1_data_yields_its_serial_number(text, serial):
    assert barcodes.gs1_serial(text) == serial


def test_a_message_with_data_identifiers_yields_its_serial_number(by, unit):
    assert found(by, f"[)>{RS}06{GS}1PAQM{GS}S{SERIAL}{GS}9D2611{RS}{EOT}") == [unit]


def test_gs1_data_finds_its_device(by, unit):
    for text in (f"]C101{GTIN}21{SERIAL}", f"https://id.gs1.org/01/{GTIN}/21/{SERIAL}?17=261130"):
        assert found(by, text) == [unit]


def test_our_own_link_takes_precedence_over_a_digital_link(by, unit, product):
    other = factories.make_device(product, "OTHER-1")
    make_unit_profile(product)
    link = printed.label(ClaimCode.objects.get(device=unit)).canonical
    assert found(by, f"{link}?21=OTHER-1") == [unit]
    assert found(by, f"]Q3{link}?21=OTHER-1") == [unit]
    assert found(by, "https://maker.example/?21=OTHER-1") == [other]


def test_an_exact_match_takes_precedence_over_an_interpretation(by, product, unit):
    whole = factories.make_device(product, f"]C0{SERIAL}")
    assert found(by, f"]C0{SERIAL}") == [whole]


@given(st.text(max_size=500))
def test_any_text_can_be_read_without_an_error(text):
    assert all(each == barcodes.plain(each) != "" for each in barcodes.readings(text))
    assert all(guess.text != text for guess in keyboards.guesses(text))


@given(st.text(alphabet="]()[>)0123456789S/:?&=%{}" + GS + RS, max_size=60))
def test_any_text_resembling_gs1_can_be_read_without_an_error(text):
    for each in (text, f"]C1{text}", f"https://a/01/{text}", f"[)>{RS}06{GS}{text}"):
        readings = barcodes.readings(each)
        assert len(set(readings)) == len(readings)
        assert "" not in readings


# Identifiers


@pytest.mark.parametrize(
    "text",
    [
        "490154203237518",
        "49-015420-323751-8",
        "IMEI: 490154203237518",
        "8988303000000614227",
        "8988 3030 0000 0614 227",
        "8988303000000614227F",
        "E0:4F:43:75:E4:55",
        "e0-4f-43-75-e4-55",
        "E04F.4375.E455",
        "e04f4375e455",
        "E0 4F 43 75 E4 55",
        "MAC: E04F4375E455",
    ],
)
def test_a_device_is_found_by_imei_iccid_and_mac_in_any_spelling(by, unit, shipment, client_for, alice, text):
    assert [answer.code for answer in contents.scan(shipment, [text], by=by)] == ["added"]
    answer = client_for(alice).post("/returns/workbench/", {"scan": text})
    assert answer.context["workbench"].ids == [unit.pk]


def test_search_finds_the_same_identifiers(unit, client_for, alice):
    for text in ("8988303000000614227F", "e04f.4375.e455", "490154203237518"):
        assert client_for(alice).get("/search/", {"q": text}).url == unit.get_absolute_url()


def test_an_identifier_matching_several_devices_asks_which_one_is_meant(by, shipment, product, unit):
    twin = factories.make_device(product, "SECOND-1", imei=unit.imei)
    odd = factories.make_device(product, unit.imei)
    (answer,) = contents.scan(shipment, [unit.imei], by=by)
    assert (answer.code, answer.text) == ("ambiguous", f"{unit.imei} matches several devices. Which one is it?")
    assert {device.pk for device in answer.twins} == {unit.pk, twin.pk, odd.pk}
    assert not shipment.units.exists()


def test_identifiers_of_another_organization_are_unknown(by, unit, charlie):
    stranger = factories.actor_of(charlie)
    for text in (unit.imei, unit.mac, unit.iccid, f"]C101{GTIN}21{SERIAL}", SERIAL.replace("-", "ß")):
        assert scans.find(stranger, text).is_known is False


# Separators


@pytest.mark.parametrize("serial", ["A,B", "A;B", "A B", "A/B", "A, B;C"])
def test_a_serial_number_with_a_separator_is_one_scan(by, shipment, product, serial):
    unit = factories.make_device(product, serial)
    for part in ("A", "B"):
        factories.make_device(product, part)
    assert [answer.code for answer in contents.scan(shipment, [serial], by=by)] == ["added"]
    assert shipment.units.get().device == unit


def test_a_tab_within_a_serial_number_matches_its_space(by, product):
    unit = factories.make_device(product, "A B")
    assert [scan.devices for scan in scans.split(by, ["A\tB"])[0]] == [[unit]]


def test_a_list_is_split_by_lines_first_and_then_by_separators(by, shipment, product):
    one, two, three = (factories.make_device(product, serial) for serial in ("A,B", "C", "D"))
    lines = scans.lines("A,B\r\nC; D ,C\n\nX,Y\tZ\nA,B")
    assert lines == ["A,B", "C; D ,C", "X,Y\tZ"]
    answers = contents.scan(shipment, lines, by=by)
    assert [(answer.code, answer.text) for answer in answers] == [
        ("added", "3 devices added."),
        ("unknown", "No device matches X,Y Z."),
    ]
    assert list(shipment.units.order_by("pk").values_list("device", flat=True)) == [one.pk, two.pk, three.pk]


# Keyboards


def typed(text, keyboard, *, is_from_us=True):
    """Return what a computer receives when a scanner with another keyboard layout types the text."""
    for name, to_printed, from_us in keyboards._TABLES:
        if (str(name), from_us) == (keyboard, is_from_us):
            back = {printed: sign for sign, printed in to_printed.items()}
            return "".join(back[character] for character in text)
    raise AssertionError(keyboard)


def test_keyboard_layouts_change_the_characters_they_are_known_to_change():
    assert typed("https://a.example/c/YZ-1", "German") == "httpsÖ--a.eyample-c-ZYß1".replace("eyample", "example")
    assert typed("https://a", "French") == "httpsM!!q"
    assert typed("AQM26-1", "French") == "QA?é-)&"
    assert typed("https://a", "German", is_from_us=False) == "https>&&a"


@pytest.mark.parametrize(
    "keyboard",
    ["German", "Swiss", "French", "Belgian", "Spanish", "Italian", "Portuguese", "Swedish", "Danish", "Norwegian"],
)
@pytest.mark.parametrize("is_from_us", [True, False])
def test_a_scanner_with_another_keyboard_layout_is_understood_and_reported(by, shipment, product, keyboard, is_from_us):
    unit = factories.make_device(product, SERIAL)
    make_unit_profile(product)
    link = printed.label(ClaimCode.objects.get(device=unit)).canonical
    for text in (SERIAL, link):
        scan = scans.find(by, typed(text, keyboard, is_from_us=is_from_us))
        assert (scan.devices, scan.is_sure) == ([unit], True), scan
        assert keyboard in scan.guess.sentence
    text = typed(SERIAL, keyboard, is_from_us=is_from_us)
    added, told = contents.scan(shipment, [text], by=by)
    assert (added.code, told.code) == ("added", "keyboard")
    assert told.text == scans.find(by, text).guess.sentence


def test_the_keyboard_layout_is_described_in_words(by, unit):
    assert scans.find(by, "AQM26ß200031").guess.sentence == (
        "Your scanner types with a German layout: it sends US keys and this computer reads them as German. "
        "Set the scanner to a German keyboard."
    )


def test_a_garbled_link_reveals_the_keyboard_layout_even_if_it_is_unknown(by, shipment):
    (answer,) = contents.scan(shipment, ["httpsÖ--nobody.example-c-1"], by=by)
    assert answer.code == "unknown"
    assert "Your scanner types with a German layout" in answer.text


def test_a_match_by_swapped_letters_alone_needs_confirmation(by, shipment, product):
    unit = factories.make_device(product, "AY1")
    (answer,) = contents.scan(shipment, ["AZ1"], by=by)
    assert (answer.code, answer.twins) == ("ambiguous", [unit])
    assert answer.text == "No device matches AZ1. With another keyboard layout, it would be AY1. Is that right?"
    assert not shipment.units.exists()


def test_an_exactly_registered_device_is_never_taken_for_another(by, product):
    factories.make_device(product, "AY1")
    unit = factories.make_device(product, "AZ1")
    assert scans.find(by, "AZ1") == scans.Scan("AZ1", [unit])


def test_a_return_slip_is_read_with_another_keyboard_layout(by, unit, customer, dana):
    from devices.actions import ownership

    ownership.assign([unit.pk], customer=customer, by=by)
    asked = returns.request(unit, customer=customer, reason="Upgrade", by=factories.actor_of(dana))
    assert scans.find(by, typed(asked.code, "German")).returned == asked


# Costs


def test_many_scans_take_as_many_queries_as_one(by, product, django_assert_num_queries):
    units = [factories.make_device(product, f"Q-{number}") for number in range(30)]
    with django_assert_num_queries(1):
        scans.find_all(by, [units[0].serial_number])
    with django_assert_num_queries(1):
        assert all(scan.devices for scan in scans.find_all(by, [unit.serial_number for unit in units]))
    make_unit_profile(product)
    links = [printed.label(code).canonical for code in ClaimCode.objects.filter(device__in=Device.objects.all())]
    with django_assert_num_queries(3):
        assert all(scan.devices for scan in scans.find_all(by, links))
