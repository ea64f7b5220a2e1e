"""QR codes: a camera reads exactly the canonical link."""

import re
from io import BytesIO

import pytest
import zxingcpp
from django.urls import reverse
from PIL import Image, ImageDraw

from claims.paper import qr
from claims.profiles import printed
from claims.profiles.actions import codes as claim_codes
from console.models import OrganizationDomain
from tests.claims import worlds

pytestmark = pytest.mark.django_db


@pytest.fixture
def owner(client_for, alice):
    return client_for(alice)


def read(png: bytes) -> str:
    return zxingcpp.read_barcodes(Image.open(BytesIO(png)).convert("L"))[0].text


def drawn(svg: str) -> Image.Image:
    """Draw the path of an SVG as a picture, ten pixels per module."""
    side = int(re.search(r'viewBox="0 0 (\d+) \1"', svg)[1]) * 10
    image = Image.new("L", (side, side), 255)
    pen = ImageDraw.Draw(image)
    for x, y, width, back in re.findall(r"M(\d+) (\d+)h(\d+)v1h-(\d+)z", svg):
        assert width == back
        x, y, width = int(x) * 10, int(y) * 10, int(width) * 10
        pen.rectangle([x, y, x + width - 1, y + 9], fill=0)
    return image


def canonical(code) -> str:
    return f"HTTP://LOCALHOST:8000/C/{claim_codes.printed(code).link}"


def test_the_png_of_a_link_holds_the_canonical_link(owner, organization):
    code = worlds.make_link_profile(organization).codes.get()
    response = owner.get(reverse("claims:claim_profile_qr", args=[code.profile_id, "png"]))
    assert read(response.content) == canonical(code)
    assert response["Content-Type"] == "image/png"
    assert response["Cache-Control"] == "no-store"
    assert response["Content-Disposition"] == 'attachment; filename="north-pilot.png"'


def test_the_svg_of_a_link_holds_it_too(owner, organization):
    code = worlds.make_link_profile(organization).codes.get()
    response = owner.get(reverse("claims:claim_profile_qr", args=[code.profile_id, "svg"]))
    svg = response.content.decode()
    assert zxingcpp.read_barcodes(drawn(svg))[0].text == canonical(code)
    assert (response["Content-Type"], response["Cache-Control"]) == ("image/svg+xml", "no-store")
    assert svg.startswith('<svg xmlns="http://www.w3.org/2000/svg"')


def test_the_page_shows_the_same_drawing(owner, organization):
    code = worlds.make_link_profile(organization).codes.get()
    page = owner.get(code.profile.get_absolute_url()).content.decode()
    svg = re.search(r'<div class="qr">\s*(<svg.*?</svg>)', page, re.S)[1]
    assert zxingcpp.read_barcodes(drawn(svg))[0].text == canonical(code)


@pytest.mark.parametrize("form", ["svg", "png"])
def test_the_picture_of_a_device_holds_its_own_link(owner, product, make_devices, form):
    first, second = make_devices(2)
    profile = worlds.make_unit_profile(product)
    for device in (first, second):
        response = owner.get(reverse("claims:unit_code_qr", args=[device.pk, form]))
        image = (
            drawn(response.content.decode()) if form == "svg" else Image.open(BytesIO(response.content)).convert("L")
        )
        assert zxingcpp.read_barcodes(image)[0].text == canonical(profile.codes.get(device=device))
        assert response["Cache-Control"] == "no-store"
        assert response["Content-Disposition"] == f'attachment; filename="units-{device.serial_number.lower()}.{form}"'


def test_the_address_selects_one_of_several_codes_of_a_device(owner, product, device):
    sale, rental = worlds.make_unit_profile(product), worlds.make_unit_profile(product, slug="rental")
    url = reverse("claims:unit_code_qr", args=[device.pk, "png"])
    for query, profile in [("", rental), (f"?profile={sale.pk}", sale), (f"?profile={rental.pk}", rental)]:
        assert read(owner.get(url + query).content) == canonical(profile.codes.get())
    for query in ("?profile=999", "?profile=x", "?profile=" + "9" * 30):
        assert owner.get(url + query).status_code == 404


def test_the_picture_has_a_quiet_zone_of_4_modules_of_at_least_10_pixels(organization):
    drawing = printed.label(worlds.make_link_profile(organization).codes.get()).draw()
    image = Image.open(BytesIO(drawing.png()))
    scale = image.width // len(drawing.rows)
    assert (image.mode, image.width, image.height) == ("1", scale * len(drawing.rows), scale * len(drawing.rows))
    assert scale >= 10
    assert image.width >= 1000
    dark = image.convert("L").point(lambda value: 255 - value).getbbox()
    assert dark == (4 * scale, 4 * scale, image.width - 4 * scale, image.height - 4 * scale)


def test_a_link_uses_the_smaller_alphanumeric_mode(organization):
    label = printed.label(worlds.make_link_profile(organization).codes.get())
    assert len(label.draw().rows) - 8 == 29
    assert len(qr.draw(label.link).rows) - 8 == 33


def test_a_code_with_a_domain_carries_that_domain(organization):
    domain = OrganizationDomain.objects.create(organization=organization, host="claim.northlake.example")
    code = worlds.make_link_profile(organization, domain=domain).codes.get()
    label, token = printed.label(code), claim_codes.printed(code).link
    assert label.canonical == f"HTTPS://CLAIM.NORTHLAKE.EXAMPLE/C/{token}"
    assert label.link == f"https://claim.northlake.example/c/{token}"
    assert label.shown == f"claim.northlake.example/c/{token}"
    assert read(label.draw().png()) == label.canonical


@pytest.mark.parametrize(
    ("base", "start"),
    [
        ("https://custody.example", "HTTPS://CUSTODY.EXAMPLE/C/"),
        ("https://custody.example:8443", "HTTPS://CUSTODY.EXAMPLE:8443/C/"),
        ("https://example.com/Custody/app", "HTTPS://EXAMPLE.COM/Custody/app/C/"),
    ],
)
def test_the_port_and_path_of_the_configured_address_are_kept(organization, settings, base, start):
    settings.BASE_URL = base
    code = worlds.make_link_profile(organization).codes.get()
    label = printed.label(code)
    assert label.canonical == start + claim_codes.printed(code).link
    assert label.link == f"{base}/c/{claim_codes.printed(code).link}"
    assert read(label.draw().png()) == label.canonical


@pytest.mark.parametrize(
    "headers",
    [
        {"headers": {"host": "127.0.0.1"}},
        {"headers": {"x-forwarded-host": "evil.example"}},
        {"SERVER_NAME": "127.0.0.1"},
    ],
)
def test_the_host_of_a_request_never_appears_in_a_link(owner, organization, headers):
    code = worlds.make_link_profile(organization).codes.get()
    page = owner.get(code.profile.get_absolute_url(), **headers).content.decode()
    assert f"http://localhost:8000/c/{claim_codes.printed(code).link}" in page
    assert "evil.example" not in page
    picture = owner.get(reverse("claims:claim_profile_qr", args=[code.profile_id, "png"]), **headers)
    assert read(picture.content) == canonical(code)


@pytest.mark.parametrize("form", ["gif", "PNG", "svg.exe", "<svg>"])
def test_other_formats_do_not_exist(owner, organization, form):
    profile = worlds.make_link_profile(organization)
    assert owner.get(reverse("claims:claim_profile_qr", args=[profile.pk, form])).status_code == 404


def test_people_who_may_not_see_codes_get_no_pictures(client_for, organization, product, device):
    profile = worlds.make_link_profile(organization)
    worlds.make_unit_profile(product)
    for url in (
        reverse("claims:claim_profile_qr", args=[profile.pk, "png"]),
        reverse("claims:unit_code_qr", args=[device.pk, "svg"]),
    ):
        assert client_for("viewer").get(url).status_code == 403
        assert client_for("fulfilment").get(url).status_code == 200


def test_another_organization_gets_no_pictures(client_for, charlie, organization, product, device):
    profile = worlds.make_link_profile(organization)
    worlds.make_unit_profile(product)
    client = client_for(charlie)
    assert client.get(reverse("claims:claim_profile_qr", args=[profile.pk, "png"])).status_code == 404
    assert client.get(reverse("claims:unit_code_qr", args=[device.pk, "png"])).status_code == 404


def test_profiles_with_device_codes_and_devices_without_a_code_have_no_picture(owner, product, make_devices):
    profile = worlds.make_unit_profile(product)
    bare = make_devices(1)[0]
    profile.codes.all().purge()
    profile.product = None
    profile.save(update_fields=["product"])
    assert owner.get(reverse("claims:claim_profile_qr", args=[profile.pk, "png"])).status_code == 404
    assert owner.get(reverse("claims:unit_code_qr", args=[bare.pk, "png"])).status_code == 404


def test_a_name_that_looks_like_markup_stays_text(owner, organization):
    profile = worlds.make_link_profile(organization, name='"><script>alert(1)</script>', slug="x")
    page = owner.get(profile.get_absolute_url()).content.decode()
    assert "<script>alert" not in page
    assert 'aria-label="QR code of &quot;&gt;&lt;script&gt;' in page
