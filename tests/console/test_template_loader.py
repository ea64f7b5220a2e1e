"""Pages don't carry the indentation of their templates."""

import pytest
from django.template.loader import get_template
from django.template.loaders import filesystem
from django.urls import reverse

from console.template_loader import Loader


def test_a_page_has_no_indented_lines(staff_client, device):
    lines = staff_client.get(reverse("devices:device_list")).content.decode().splitlines()
    assert not [line for line in lines if line.startswith((" ", "\t"))]


def test_preformatted_text_keeps_its_white_space(db):
    source = get_template("console/api_docs.html").template.source
    assert '\n  -H "Authorization' in source


@pytest.mark.parametrize("name", ["base.html", "devices/device_detail.html"])
def test_lines_keep_their_numbers(name):
    template = get_template(name).template
    origin = template.origin
    raw = filesystem.Loader.get_contents(Loader(template.engine), origin)
    assert template.source != raw
    assert [line.strip() for line in template.source.split("\n")] == [line.strip() for line in raw.split("\n")]
