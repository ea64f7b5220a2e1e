"""Claim codes: how they are derived, what is printed, and how typed text is read."""

from uuid import UUID, uuid4

import pytest
from django.db import IntegrityError, transaction
from hypothesis import given, settings
from hypothesis import strategies as st

from claims import codes
from claims.models import ClaimCode
from claims.profiles.actions import codes as claim_codes
from claims.redemption import offers
from tests.claims import worlds

BODIES = st.text(alphabet=codes.ALPHABET, min_size=12, max_size=12)


def test_the_same_id_version_and_key_always_produce_the_same_code():
    printed = codes.derive(UUID(int=1), 1, "t1")
    assert printed == codes.Printed("3S779A933VW2JYMWPX6PC5SJYZ", "3PVTHASXDR2SM")
    assert printed.typed_in_groups == "3PVT-HASX-DR2S-M"


def test_another_version_or_another_key_produces_another_code():
    assert codes.derive(UUID(int=1), 2, "t1") == codes.Printed("48X3KJFSAB1EC8746P73ZACK5K", "67GV3Z52714K6")
    assert codes.derive(UUID(int=1), 1, "t0") == codes.Printed("1R4P78RV92YQV3KZG9SVA8APRW", "1WZQ8RMRS5V5J")


def test_a_link_has_26_and_a_typed_code_13_characters_of_the_alphabet():
    for _each in range(500):
        printed = codes.derive(uuid4(), 1, "t1")
        assert (len(printed.link), len(printed.typed)) == (26, 13)
        assert set(printed.link + printed.typed) <= set(codes.ALPHABET)
        # 128 bits in 26 digits of 5 bits: the first digit only has three of them.
        assert printed.link[0] in "01234567"


def test_new_codes_use_the_first_key():
    assert codes.current_key() == "t1"


def test_an_unconfigured_key_derives_nothing():
    with pytest.raises(KeyError):
        codes.derive(UUID(int=1), 1, "gone")


@given(BODIES)
@settings(max_examples=60, deadline=None)
def test_the_check_character_detects_every_single_wrong_character(body):
    code = body + codes.check_character(body)
    assert not codes.is_mistyped(code)
    for place, right in enumerate(code):
        for wrong in codes.ALPHABET.replace(right, ""):
            assert codes.is_mistyped(code[:place] + wrong + code[place + 1 :])


def test_the_check_character_detects_every_swap_of_neighbors_except_0_and_z():
    missed = set()
    for first in codes.ALPHABET:
        for second in codes.ALPHABET.replace(first, ""):
            for place in range(11):
                body = "7" * place + first + second + "7" * (10 - place)
                code = body + codes.check_character(body)
                if not codes.is_mistyped(code[:place] + second + first + code[place + 2 :]):
                    missed.add((first, second))
    assert missed == {("0", "Z"), ("Z", "0")}


def test_a_letter_outside_the_alphabet_is_detected_as_a_typo():
    assert codes.is_mistyped("3PVTHASXDR2SU")


def test_text_of_another_length_is_not_a_mistyped_code():
    assert not codes.is_mistyped("3PVTHASXDR2S")
    assert not codes.is_mistyped("")


@pytest.mark.parametrize(
    "typed",
    [
        "3PVT-HASX-DR2S-M",
        "3pvt hasx dr2s m",
        "  3PVTHASXDR2SM\n",
        "3PVT–HASX–DR2S–M",
        "３ＰＶＴ－ＨＡＳＸ－ＤＲ２Ｓ－Ｍ",
        "HTTPS://CLAIM.NORTHLAKE.EXAMPLE/C/3PVTHASXDR2SM",
        "https://localhost:8000/c/3pvt-hasx-dr2s-m/",
        "https://localhost/c/3PVTHASXDR2SM?utm=1#x",
    ],
)
def test_a_code_is_read_however_it_is_typed_or_scanned(typed):
    assert codes.normalise(typed) == "3PVTHASXDR2SM"


def test_o_is_read_as_0_and_i_and_l_as_1():
    assert codes.normalise("oOiIlL") == "001111"


@pytest.mark.parametrize("text", ["", "---", "\ud800", "\u202e", "A" * 401, "/c/" + "A" * 400])
def test_text_that_cannot_be_a_code_is_read_as_empty(text):
    assert codes.normalise(text) == ""


@given(st.text(max_size=500))
@settings(max_examples=300, deadline=None)
def test_any_text_can_be_read_as_a_code_without_an_error(text):
    code = codes.normalise(text)
    codes.is_mistyped(code)
    assert len(codes.sha256(code)) == 64


@pytest.mark.django_db
def test_the_database_stores_only_hashes(organization):
    profile = worlds.make_link_profile(organization)
    code = profile.codes.get()
    printed = claim_codes.printed(code)
    assert (code.link_sha256, code.typed_sha256) == (codes.sha256(printed.link), codes.sha256(printed.typed))
    row = repr(ClaimCode.objects.filter(pk=code.pk).values().get())
    assert printed.link not in row
    assert printed.typed not in row


@pytest.mark.django_db
def test_a_code_is_only_found_by_its_link_or_its_typed_code(organization):
    code = worlds.make_link_profile(organization).codes.get()
    printed = claim_codes.printed(code)
    assert offers.find(printed.link.lower()) == code
    assert offers.find(printed.typed_in_groups) == code
    assert offers.find(f"HTTPS://LOCALHOST/C/{printed.link}") == code
    assert offers.find(printed.link[:-1]) is None
    assert offers.find(str(code.pk)) is None
    assert offers.find("") is None


@pytest.mark.django_db
def test_looking_up_a_code_takes_one_query(organization, django_assert_num_queries):
    printed = claim_codes.printed(worlds.make_link_profile(organization).codes.get())
    for text in (printed.link, printed.typed, "0000000000000"):
        with django_assert_num_queries(1):
            offers.find(text)


@pytest.mark.django_db
def test_a_code_of_a_removed_key_can_be_redeemed_but_not_printed_again(organization, settings):
    code = worlds.make_link_profile(organization).codes.get()
    printed = claim_codes.printed(code)
    settings.CLAIM_KEYS = {"t9": b"9" * 32}
    assert claim_codes.printed(code) is None
    assert offers.find(printed.link) == code
    settings.CLAIM_KEYS = {"t1": bytes.fromhex("11" * 32)}


@pytest.mark.django_db
def test_a_replacement_code_uses_the_first_key(organization, actor, settings):
    profile = worlds.make_link_profile(organization)
    before = dict(settings.CLAIM_KEYS)
    settings.CLAIM_KEYS = {"t2": b"2" * 32, **before}
    claim_codes.replace(profile, reason="lost", by=actor("owner"))
    code = profile.codes.get()
    assert (code.key_id, code.version) == ("t2", 2)
    assert offers.find(claim_codes.printed(code).link) == code
    claim_codes.replace(profile, reason="restored", by=actor("owner"))
    settings.CLAIM_KEYS = before
    ClaimCode.objects.filter(pk=code.pk).update(**_made_with("t1", code))


@pytest.mark.django_db
def test_a_profile_has_one_code_and_a_device_has_one_per_profile(organization, product, device):
    link, unit = worlds.make_link_profile(organization), worlds.make_unit_profile(product)
    with pytest.raises(IntegrityError), transaction.atomic():
        claim_codes.make_for_profile(link)
    assert claim_codes.make_for_devices(unit, [device.pk, device.pk]) == 0
    assert (link.codes.count(), unit.codes.count()) == (1, 1)


@pytest.mark.django_db
def test_replacing_a_code_invalidates_the_label_and_logs_the_reason(organization, actor):
    profile = worlds.make_link_profile(organization)
    before = claim_codes.printed(profile.codes.get())
    claim_codes.replace(profile, reason="Label photographed", by=actor("owner"))
    after = claim_codes.printed(profile.codes.get())
    assert offers.find(before.link) is None
    assert offers.find(before.typed) is None
    assert offers.find(after.link) == profile.codes.get()
    event = worlds.event("claim_profile.code_replaced")
    assert (event.subject_id, event.data) == (profile.pk, {"note": "Label photographed"})


@pytest.mark.django_db
def test_replacing_the_label_of_a_device_replaces_its_codes_in_all_profiles(product, make_devices, actor):
    first, second = make_devices(2)
    sale, rental = (worlds.make_unit_profile(product), worlds.make_unit_profile(product, slug="rental", grant="access"))
    assert claim_codes.replace_for_devices([first.pk], reason="torn off", by=actor("support")) == 2
    versions = ClaimCode.objects.order_by("device", "profile").values_list("device", "profile", "version")
    assert list(versions) == [
        (first.pk, sale.pk, 2),
        (first.pk, rental.pk, 2),
        (second.pk, sale.pk, 1),
        (second.pk, rental.pk, 1),
    ]
    event = worlds.event("device.code_replaced")
    assert (event.subject_id, event.subject_label, event.data) == (first.pk, first.serial_number, {"note": "torn off"})


@pytest.mark.django_db
@pytest.mark.parametrize("number", [1, 3, 2001])
def test_creating_many_codes_takes_few_queries(product, number, django_assert_max_num_queries):
    devices = worlds.make_many_devices(product, number)
    profile = worlds.make_unit_profile(None, organization=product.organization)
    with django_assert_max_num_queries(40):
        assert claim_codes.make_for_devices(profile, devices) == number
    assert profile.codes.count() == number


def _made_with(key: str, code: ClaimCode) -> dict:
    texts = codes.derive(code.pk, 1, key)
    return {
        "version": 1,
        "key_id": key,
        "link_sha256": codes.sha256(texts.link),
        "typed_sha256": codes.sha256(texts.typed),
    }
