"""The fields of a device that people fill in: the one table from which all other lists of fields are derived.

The form, the lists, the API, manifests, edited exports and exports use this table, so a field is added to it once. What
else a new field needs is described in docs/checklists/device-field.md, and tests/devices/test_fields.py fails if one of
the exits is forgotten.
"""

import hashlib
import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from console.columns import Column
from console.imports.staging import visible
from devices import identifiers, tags
from devices.identifiers import Unfit

YES = {"yes", "y", "true", "1", "x", "ja", "j", "wahr"}
NO = {"no", "n", "false", "0", "nein", "falsch"}


@dataclass(frozen=True, kw_only=True)
class Field:
    """One field of a device.

    Files may call its column `label` or any of `aliases`; `meaning` says what the column must contain. `clean` turns a
    text into the stored value, or raises Unfit. The defaults describe a plain line of text that only the organization
    may see.
    """

    name: str
    label: Any
    meaning: Any
    clean: Callable[[str], Any]
    aliases: tuple[str, ...] = ()
    # The column of Device that stores it, if named differently; None if it is stored in another table.
    column: str | None = ""
    # The column of its folded copy, by which devices are found. Such a field identifies a device, so files never change
    # it.
    key: str = ""
    # The value of a new device for which none is entered.
    empty: Any = ""
    # Whether customers see it. If not, they see `hidden_as`.
    for_customers: bool = False
    hidden_as: Any = ""
    # A secret is read from files only and shown to nobody, not even in the log.
    is_secret: bool = False
    # Whether the list of devices shows it.
    is_listed: bool = True
    # The header of its column in exports, if different from the name.
    exported_as: str = ""
    # Whether it contains free text, which may look like a formula or markup.
    is_free: bool = True
    # Whether values repeat from row to row, so that caching them is cheaper than cleaning them.
    repeats: bool = False
    # Manifests have their columns in the order of this table, except for those with a rank, which come last.
    rank_in_manifest: int = 0

    @property
    def stored_as(self) -> str:
        """The column that stores it, of the device or of a checked row."""
        return self.column or self.name

    @property
    def columns(self) -> tuple[str, ...]:
        """The columns that store it and its folded copy."""
        return (self.stored_as, self.key) if self.key else (self.stored_as,)

    @property
    def header(self) -> str:
        """The header of its column in exports."""
        return self.exported_as or self.name

    def as_kept(self, value: Any) -> Any:
        """Return the value to store on the device for the value of a checked row, where flags are numbers."""
        return bool(value) if self.empty is False else value

    @property
    def is_updated(self) -> bool:
        """Whether a manifest changes it on registered devices, and therefore compares it with their values."""
        return self.column is not None and not self.key

    @property
    def is_taken_as_shown(self) -> bool:
        """Whether a number in a sheet is taken as the sheet shows it, with its thousands separators."""
        return self.is_free and not self.key

    @property
    def as_column(self) -> Column:
        """Return its column in a file."""
        return Column(self.name, self.label, self.aliases)


def _aliases(names: str) -> tuple[str, ...]:
    return tuple(" ".join(name.split()) for name in names.split(","))


def _hash_of_secret(raw: str) -> str:
    return hashlib.sha256(identifiers.clean_secret(raw).encode()).hexdigest()


def _day(raw: str) -> str:
    return identifiers.clean_manufactured_on(raw).isoformat()


def _tags(raw: str) -> str:
    """Return tags separated by commas or semicolons as a JSON list."""
    return json.dumps(tags.read(raw, ",;"))


def _yes_or_no(raw: str) -> int:
    word = raw.strip().casefold()
    if word not in YES | NO:
        raise Unfit(_("Development device: write yes or no, not “%(text)s”.") % {"text": visible(raw.strip(), 40)})
    return int(word in YES)


# In the order of the form, the API and the log.
FIELDS = (
    Field(
        name="serial_number",
        label=gettext_lazy("Serial number"),
        meaning=gettext_lazy("Up to 64 characters, unique in the product. Required."),
        clean=identifiers.clean_serial_number,
        key="serial_key",
        for_customers=True,
        aliases=_aliases(
            """
            S/N, SN, S.N., SNR, SerNo, Ser No, Ser. Nr., Serial, Serial no, Serial nr, Serial #, Serial num,
            Serial code, Serial ID, Device serial, Device serial number, Unit serial, Unit serial number,
            Product serial number, Hardware serial, Factory serial number, Manufacturer serial number,
            Seriennummer, Serien-Nr., Seriennr, Serien Nummer, Seriennummern, Serial-Nr., Serialnummer,
            Gerätenummer, Geräte-Nr., Gerätenr, Geräteseriennummer, Fabriknummer, Fabrik-Nr., Fabriknr,
            Fabrikationsnummer, Fertigungsnummer, Zählernummer, Zähler-Nr., Werknummer, Werk-Nr.
            """
        ),
    ),
    Field(
        name="device_name",
        label=gettext_lazy("Device name"),
        meaning=gettext_lazy("The factory identifier: 6 to 64 letters, digits, - or _, unique. Required."),
        clean=identifiers.clean_device_name,
        key="name_key",
        for_customers=True,
        is_listed=False,
        is_free=False,
        aliases=_aliases(
            """
            Device, Device ID, Dev ID, DevID, Device identifier, Device UID, Device UUID, Name, Unit ID,
            Unit name, Thing, Thing name, Thing ID, UID, UUID, Chip ID, Core ID, Module ID, Hardware ID,
            HWID, Factory ID, Client ID, Endpoint, Endpoint name, DevEUI, Gerät, Gerätename, Geräte-Name,
            Gerätekennung, Geräte-Kennung, Geräte-ID, Gerätebezeichner, Gerätebezeichnung,
            Gerätekennzeichen, Gerätekenner, Kennung, Bezeichner, Werkskennung, Fabrikkennung, Modul-ID,
            Modulkennung
            """
        ),
    ),
    Field(
        name="imei",
        label=gettext_lazy("IMEI"),
        meaning=gettext_lazy("15 digits with a valid check digit."),
        clean=identifiers.clean_imei,
        is_listed=False,
        is_free=False,
        aliases=_aliases(
            """
            IMEI number, IMEI no, IMEI nr, IMEI code, IMEI 1, IMEI1, IMEI-Nummer, IMEI-Nr., Modem IMEI,
            Device IMEI, Cellular IMEI, IMEI Modem, MEID/IMEI, IMEI/MEID
            """
        ),
    ),
    Field(
        name="iccid",
        label=gettext_lazy("ICCID"),
        meaning=gettext_lazy("19 or 20 digits with a valid check digit."),
        clean=identifiers.clean_iccid,
        is_listed=False,
        is_free=False,
        aliases=_aliases(
            """
            ICC, ICC ID, ICCID number, ICCID no, ICCID 1, SIM, SIM ICCID, SIM ID, SIM number, SIM no, SIM
            card, SIM card number, SIM serial, SIM serial number, eSIM, eSIM ICCID, ICCID-Nummer, ICCID-Nr.,
            SIM-Nummer, SIM-Nr., SIM-Karte, SIM-Kartennummer, SIM-Karten-Nr., Kartennummer,
            SIM-Seriennummer, SIM-Kennung
            """
        ),
    ),
    Field(
        name="mac",
        label=gettext_lazy("MAC address"),
        meaning=gettext_lazy("12 or 16 hexadecimal digits, with or without separators."),
        clean=identifiers.clean_mac,
        is_listed=False,
        is_free=False,
        aliases=_aliases(
            """
            MAC, MAC address, MAC ID, MAC addr, MAC no, MAC number, MAC-48, EUI, EUI-48, EUI-64, EUI48,
            EUI64, Ethernet address, Ethernet MAC, LAN MAC, WLAN MAC, WiFi MAC, Wi-Fi MAC address, WiFi
            address, Bluetooth MAC, BLE MAC, Bluetooth address, Physical address, Hardware address,
            MAC-Adresse, MAC-Adr., Ethernet-Adresse, WLAN-MAC, WLAN-Adresse, Hardware-Adresse,
            Hardwareadresse, Physikalische Adresse, Physische Adresse, Netzwerkadresse
            """
        ),
    ),
    Field(
        name="hardware_revision",
        label=gettext_lazy("Hardware revision"),
        meaning=gettext_lazy("Up to 40 characters."),
        clean=identifiers.clean_hardware_revision,
        for_customers=True,
        is_listed=False,
        repeats=True,
        aliases=_aliases(
            """
            Hardware rev, HW revision, HW rev, HW, HWRev, Hardware, Hardware version, HW version, HW ver,
            Revision, Rev, Board revision, Board rev, PCB revision, PCB rev, PCB version, PCBA revision,
            Hardware level, Hardwarestand, Hardware-Stand, HW-Stand, Hardwarerevision, Hardware-Version,
            Hardwareversion, Hardware-Ausgabe, Revisionsstand, Bauzustand, Baustand, Platinenstand,
            Leiterplattenstand, Platinenrevision, Änderungsstand, Geräterevision
            """
        ),
    ),
    Field(
        name="manufactured_on",
        label=gettext_lazy("Manufactured on"),
        meaning=gettext_lazy("A date, such as 2026-11-30 or 30.11.2026."),
        clean=_day,
        empty=None,
        for_customers=True,
        is_listed=False,
        is_free=False,
        repeats=True,
        aliases=_aliases(
            """
            Made on, Manufactured, Manufactured at, Manufacture date, Manufacturing date, Date manufactured, Date of
            manufacture, Mfg date, MFD, DOM, Production date, Produced, Produced on, Produced at, Date
            produced, Build date, Built, Built on, Date, Factory date, Assembly date, Herstelldatum,
            Herstellungsdatum, Hergestellt, Hergestellt am, Herstellung, Produktionsdatum, Produziert,
            Produziert am, Produktionstag, Fertigungsdatum, Gefertigt, Gefertigt am, Fertigungstag,
            Baudatum, Gebaut am, Montagedatum, Datum
            """
        ),
    ),
    Field(
        name="is_development",
        label=gettext_lazy("Development device"),
        meaning=gettext_lazy("Yes or no. Marks a device for your own engineers."),
        clean=_yes_or_no,
        empty=False,
        for_customers=True,
        exported_as="development",
        is_free=False,
        repeats=True,
        rank_in_manifest=3,
        aliases=_aliases(
            """
            Development, Dev, Dev device, Dev unit, Is development, Engineering unit, Entwicklung, Entwicklungsgerät,
            Entwicklermuster, Testgerät
            """
        ),
    ),
    Field(
        name="tags",
        label=gettext_lazy("Tags"),
        meaning=gettext_lazy("Separated by commas or semicolons. Added to the existing tags."),
        clean=_tags,
        column=None,
        hidden_as=[],
        repeats=True,
        rank_in_manifest=2,
        aliases=_aliases(
            """
            Tag, Label, Labels, Etikett, Etiketten, Schlagwort, Schlagwörter, Stichwort, Stichwörter
            """
        ),
    ),
    Field(
        name="notes",
        label=gettext_lazy("Notes"),
        meaning=gettext_lazy("Up to 2,000 characters."),
        clean=identifiers.clean_notes,
        hidden_as=None,
        is_listed=False,
        rank_in_manifest=1,
        aliases=_aliases(
            """
            Note, Remark, Remarks, Comment, Comments, Description, Info, Information, Text, Memo,
            Annotation, Bemerkung, Bemerkungen, Anmerkung, Anmerkungen, Notiz, Notizen, Kommentar,
            Kommentare, Hinweis, Hinweise, Beschreibung, Vermerk, Zusatz
            """
        ),
    ),
    Field(
        name="secret",
        label=gettext_lazy("Secret"),
        meaning=gettext_lazy("The device's own password, 16 to 200 characters. Only its hash is stored."),
        clean=_hash_of_secret,
        column="secret_sha256",
        is_secret=True,
        is_listed=False,
        is_free=False,
        aliases=_aliases(
            """
            Device secret, Device key, Secret key, Device key secret, Shared secret, Shared key, Pre-shared
            key, PSK, Key, Password, Device password, Passwd, Credential, Credentials, Device credential,
            Token, Device token, Auth key, Auth token, API key, Access key, Provisioning key, Geheimnis,
            Gerätegeheimnis, Geräte-Geheimnis, Schlüssel, Geräteschlüssel, Geheimschlüssel, Geheimer
            Schlüssel, Passwort, Gerätepasswort, Kennwort, Gerätekennwort, Zugangsschlüssel
            """
        ),
    ),
)
BY_NAME = {field.name: field for field in FIELDS}
# The fields that people may see and type. The others come from files only.
OPEN = tuple(field for field in FIELDS if not field.is_secret)
# The fields that a manifest changes on registered devices.
UPDATED = tuple(field for field in FIELDS if field.is_updated)
