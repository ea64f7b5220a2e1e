"""The columns that a customer file may have, and the names that other programs use for them."""

from typing import Any

from django.utils.translation import gettext_lazy as _

from console.columns import Column
from customers.models import CustomerKind


def _column(name: str, label: Any, english: str, german: str) -> Column:
    return Column(name, label, (*english.split(", "), *german.split(", ")))


COLUMNS = (
    _column(
        "name",
        _("Name"),
        "Customer, Customer name, Company, Company name, Account name, Organisation, Organization, Client, Full name",
        "Name 1, Bezeichnung, Firmenname, Kundenname, Kunde, Firma",
    ),
    _column(
        "kind",
        _("Kind"),
        "Type, Customer type, Category, Customer kind",
        "Kundengruppe, Kundentyp, Kundenart, Typ, Art",
    ),
    _column(
        "reference",
        _("Reference"),
        "Customer number, Customer no, Customer ID, Your reference, Ref, Account number, Account no, "
        "Debtor number, Number, No, ID",
        "Referenz, Debitor, Debitorennummer, Debitorennr, Kunden-ID, KdNr, Kundennr, Kundennummer",
    ),
    _column(
        "email", _("Email"), "E-mail, Email address, Mail, Mail address, E-mail address", "Mailadresse, E-Mail-Adresse"
    ),
    _column(
        "phone", _("Phone"), "Telephone, Phone number, Tel, Mobile", "Mobil, Handy, Rufnummer, Telefonnummer, Telefon"
    ),
    _column("address", _("Address"), "Postal address, Full address", "Postanschrift, Adresse, Anschrift"),
    _column(
        "street", _("Street"), "Street address, Address line 1, Street and number", "Straße und Hausnummer, Str, Straße"
    ),
    _column("postcode", _("Postcode"), "Postal code, ZIP, ZIP code, Post code", "Postleitzahl, PLZ"),
    _column("city", _("City"), "Town, Place, Locality", "Wohnort, Stadt, Ort"),
    _column("country", _("Country"), "Country code, Country name, Nation", "Staat, Land"),
    _column(
        "notes",
        _("Notes"),
        "Note, Comment, Comments, Remark, Remarks",
        "Notiz, Notizen, Kommentar, Anmerkung, Bemerkungen, Bemerkung",
    ),
)
ADDRESS = ("address", "street", "postcode", "city", "country")
LABELS = {column.name: column.label for column in COLUMNS}

# What a column must contain, for the page where a file is chosen.
MEANINGS = {
    "name": _("Up to 120 characters. Required."),
    "kind": _("Company, person or internal. Empty: company."),
    "reference": _("Your own number for the customer, unique. Identifies the customer in later imports."),
    "email": _("For contacting the customer. An import invites nobody."),
    "phone": _("Up to 40 characters."),
    "address": _("In one cell, or in the four columns below."),
    "street": _("With the house number."),
    "postcode": _("Comes before the city."),
    "city": _("On the same line as the postcode."),
    "country": _("The last line of the address."),
    "notes": _("Visible to your organization only. Up to 2,000 characters."),
}

# Words that other programs use for the kinds.
_WORDS = {
    CustomerKind.COMPANY: "company, business, organisation, organization, b2b, firma, unternehmen, gewerbe, "
    "geschäftskunde, firmenkunde",
    CustomerKind.PERSON: "person, private, individual, consumer, private person, b2c, privat, privatperson, "
    "privatkunde, endkunde",
    CustomerKind.INTERNAL: "internal, own, intern, eigen",
}
KINDS = {word: kind.value for kind, words in _WORDS.items() for word in words.split(", ")}
