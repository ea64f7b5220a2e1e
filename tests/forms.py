"""Fills in forms of pages as a browser does: with all that the page put into them."""

from html.parser import HTMLParser
from typing import Any


class _Forms(HTMLParser):
    """The controls of each form of a page, as a browser would send them if nobody touched them."""

    def __init__(self) -> None:
        super().__init__()
        self.forms: list[dict[str, list[str]]] = []
        self.inside: dict[str, list[str]] | None = None
        self.select: tuple[str, bool] | None = None
        self.text: tuple[str, list[str]] | None = None

    def handle_starttag(self, tag: str, given: Any) -> None:
        attrs = dict(given)
        if tag == "form":
            self.inside = {}
            self.forms.append(self.inside)
        if self.inside is None:
            return
        name = attrs.get("name")
        if tag == "input" and name and "disabled" not in attrs:
            kind = attrs.get("type", "text")
            if kind in ("submit", "file") or (kind in ("checkbox", "radio") and "checked" not in attrs):
                return
            usual = "on" if kind == "checkbox" else ""
            self.inside.setdefault(name, []).append(attrs.get("value", usual) or "")
        if tag == "textarea" and name:
            self.text = (name, [])
        if tag == "select" and name and "disabled" not in attrs:
            self.select = (name, False)
        if tag == "option" and self.select and ("selected" in attrs or not self.select[1]):
            named = self.select[0]
            if "selected" in attrs or named not in self.inside:
                self.inside[named] = [attrs.get("value", "") or ""]

    def handle_data(self, data: str) -> None:
        if self.text:
            self.text[1].append(data)

    def handle_endtag(self, tag: str) -> None:
        if tag == "textarea" and self.text and self.inside is not None:
            name, parts = self.text
            # The first line end belongs to the tag, and a browser sends the others as CR LF.
            self.inside.setdefault(name, []).append("".join(parts).removeprefix("\n").replace("\n", "\r\n"))
            self.text = None
        if tag == "select":
            self.select = None
        if tag == "form":
            self.inside = None


def opened(client: Any, url: str, part: str = "") -> dict[str, list[str]]:
    """What a browser would send of the edit form at this address; of several, the one with this `part`."""
    return shown_in(client.get(url), part)


def shown_in(answer: Any, part: str = "") -> dict[str, list[str]]:
    """The same of a page that was answered."""
    found = [form for form in of_page(answer) if "shown" in form and (not part or form.get("part") == [part])]
    assert len(found) == 1, f"{len(found)} edit forms, want 1"
    return found[0]


def edit(client: Any, address: str, /, *, part: str = "", **values: Any) -> Any:
    """Open the form, change these fields, and send it. None empties a field."""
    return client.post(address, opened(client, address, part) | changed(values))


def changed(values: dict[str, Any]) -> dict[str, Any]:
    """Values as they are sent; an unticked box is not."""
    return {name: [] if value in (None, False) else "on" if value is True else value for name, value in values.items()}


def of_selection(page: Any) -> dict[str, Any]:
    """The form of a bulk action, as a browser would send it: with what says which rows the page showed."""
    found = [form for form in of_page(page) if "selected" in form]
    assert len(found) == 1, f"{len(found)} forms of a selection, want 1"
    return found[0]


def act(client: Any, address: str, selected: dict[str, Any], **values: Any) -> Any:
    """Open the page of a bulk action for what is selected, then press its button."""
    return client.post(address, of_selection(client.get(address, selected)) | changed(values))


def of_page(page: Any) -> list[dict[str, list[str]]]:
    """What a browser would send of each form of a page."""
    reader = _Forms()
    reader.feed(page.content.decode())
    return reader.forms
