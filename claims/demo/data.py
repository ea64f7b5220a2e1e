"""People, products and texts of the demo organization. All names are invented; all email domains end in .example."""

from typing import Any

# (name of the sign-in, email, role, person)
MEMBERS = [
    ("Owner", "owner@northlake.example", "owner", "Nora Lindqvist"),
    ("Administrator", "administrator@northlake.example", "administrator", "Amir Haddad"),
    ("Product manager", "product-manager@northlake.example", "product_manager", "Pia Brandt"),
    ("Fulfilment", "fulfilment@northlake.example", "fulfilment", "Felix Okafor"),
    ("Support", "support@northlake.example", "support", "Sofia Rossi"),
    ("Viewer", "viewer@northlake.example", "viewer", "Victor Nagy"),
]

PRODUCTS: list[dict[str, Any]] = [
    {
        "name": "Aqua Meter",
        "slug": "aqua-meter",
        "prefix": "AQM",
        "name_prefix": "e00fce68",
        "platform": "STM32WB55",
        "description": "Measures how much water runs through, and reports leaks within a minute.",
        "is_cellular": True,
        "lots": [520, 380, 300],
        "revisions": ["B3", "B4", "C1"],
    },
    {
        "name": "Edge Gateway",
        "slug": "edge-gateway",
        "prefix": "EGW",
        "name_prefix": "egw-",
        "platform": "i.MX 8M Mini",
        "description": "Connects up to 64 sensors of a site by radio, and the site by Ethernet or LTE.",
        "is_cellular": True,
        "lots": [220, 160, 120],
        "revisions": ["2.0", "2.1"],
    },
    {
        "name": "Wind Gauge",
        "slug": "wind-gauge",
        "prefix": "WND",
        "name_prefix": "wnd_",
        "platform": "ESP32-S3",
        "description": "Wind speed and direction without moving parts.",
        "is_cellular": False,
        "lots": [140, 100, 60],
        "revisions": ["A1", "A2"],
    },
]

# `units` is the number of devices sent to the customer, `claims` the number of claims by their people; `people` are
# (name, email, role).
CUSTOMERS: list[dict[str, Any]] = [
    {
        "name": "Stadtwerke Aalen",
        "kind": "company",
        "reference": "C-1004",
        "phone": "+49 7361 555 120",
        "address": "Im Hasennest 9\n73433 Aalen\nGermany",
        "people": [
            ("Dana Vogt", "dana@aalen.example", "admin"),
            ("Jonas Maier", "jonas@aalen.example", "operator"),
            ("Lea Kurz", "lea@aalen.example", "viewer"),
        ],
        "units": 210,
        "claims": 34,
    },
    {
        "name": "Hallberg Utilities",
        "kind": "company",
        "reference": "C-1011",
        "phone": "+46 31 555 0177",
        "address": "Hamngatan 12\n411 14 Göteborg\nSweden",
        "people": [
            ("Erin Hallberg", "erin@hallberg.example", "admin"),
            ("Oskar Lind", "oskar@hallberg.example", "operator"),
        ],
        "units": 160,
        "claims": 28,
    },
    {
        "name": "Wasserverband Ostalb",
        "kind": "company",
        "reference": "C-1017",
        "phone": "+49 7171 555 340",
        "address": "Talstraße 2\n73525 Schwäbisch Gmünd\nGermany",
        "people": [("Matthias Frey", "frey@wv-ostalb.example", "admin")],
        "units": 120,
        "claims": 19,
    },
    {
        "name": "Brightwater Estates",
        "kind": "company",
        "reference": "C-1023",
        "phone": "+44 117 496 0122",
        "address": "3 Quay Street\nBristol BS1 4DB\nUnited Kingdom",
        "people": [
            ("Grace Whitfield", "grace@brightwater.example", "admin"),
            ("Tom Ashby", "tom@brightwater.example", "operator"),
        ],
        "units": 90,
        "claims": 31,
    },
    {
        "name": "Fjordkraft Måling AS",
        "kind": "company",
        "reference": "C-1029",
        "phone": "+47 55 55 01 90",
        "address": "Strandkaien 4\n5013 Bergen\nNorway",
        "people": [("Ingrid Solberg", "ingrid@fjordkraft-maling.example", "admin")],
        "units": 75,
        "claims": 22,
    },
    {
        "name": "Agrovento Coop",
        "kind": "company",
        "reference": "C-1036",
        "phone": "+39 051 555 0143",
        "address": "Via Emilia 88\n40026 Imola\nItaly",
        "people": [
            ("Giulia Ferri", "giulia@agrovento.example", "admin"),
            ("Marco Ferri", "marco@agrovento.example", "viewer"),
        ],
        "units": 60,
        "claims": 26,
    },
    {
        "name": "Helder Windparken",
        "kind": "company",
        "reference": "C-1042",
        "phone": "+31 223 555 018",
        "address": "Havenplein 1\n1781 AC Den Helder\nNetherlands",
        "people": [("Sanne de Wit", "sanne@helderwind.example", "admin")],
        "units": 45,
        "claims": 17,
    },
    {
        "name": "Kettle & Sons Plumbing",
        "kind": "company",
        "reference": "C-1048",
        "phone": "+44 161 496 0188",
        "address": "41 Canal Row\nManchester M4 6AJ\nUnited Kingdom",
        "people": [("Ruth Kettle", "ruth@kettleplumbing.example", "admin")],
        "units": 0,
        "claims": 38,
    },
    {
        "name": "Marta Oliveira",
        "kind": "person",
        "reference": "",
        "phone": "+351 21 555 0167",
        "address": "",
        "people": [("Marta Oliveira", "marta.oliveira@post.example", "admin")],
        "units": 0,
        "claims": 3,
    },
    {
        "name": "Henrik Aalto",
        "kind": "person",
        "reference": "",
        "phone": "",
        "address": "",
        "people": [("Henrik Aalto", "henrik.aalto@post.example", "admin")],
        "units": 0,
        "claims": 2,
    },
    {
        "name": "Northlake Engineering",
        "kind": "internal",
        "reference": "INT-ENG",
        "phone": "",
        "address": "",
        "people": [("Pia Brandt", "product-manager@northlake.example", "admin")],
        "units": 0,
        "claims": 0,
    },
    {
        "name": "Northlake Showroom",
        "kind": "internal",
        "reference": "INT-SHOW",
        "phone": "",
        "address": "",
        "people": [("Victor Nagy", "viewer@northlake.example", "viewer")],
        "units": 0,
        "claims": 0,
    },
]

DOCUMENTS = {
    "aqua-meter": (
        "Quick start: fit the meter in ten minutes",
        "https://docs.northlake.example/aqua-meter/quick-start",
    ),
    "edge-gateway": ("Gateway installation guide", "https://docs.northlake.example/edge-gateway/installation"),
    "wind-gauge": ("Where to mount a wind gauge", "https://docs.northlake.example/wind-gauge/mounting"),
}

# A profile with a `product` has scope unit. Otherwise it lists `units` devices of the product `from`, and `claims`
# customers redeem it. It was created `days_ago` days ago and disabled `ends` days ago.
PROFILES: list[dict[str, Any]] = [
    {
        "slug": "aqua-meter-box",
        "name": "Aqua Meter, label in the box",
        "product": "aqua-meter",
        "days_ago": 118,
        "description": "Scan the label on your meter to see it in your portal.",
    },
    {
        "slug": "gateway-installer",
        "name": "Gateway for installers",
        "product": "edge-gateway",
        "days_ago": 117,
        "description": "For the technician who mounts the gateway.",
        "member": "support",
        "form": [
            {"name": "site", "label": "Site name", "required": True},
            {"name": "cabinet", "label": "Cabinet", "required": False},
        ],
    },
    {
        "slug": "wind-gauge-box",
        "name": "Wind Gauge, label in the box",
        "product": "wind-gauge",
        "days_ago": 116,
        "description": "Scan the label on your gauge.",
        "additional_project": "Northlake Engineering",
    },
    {
        "slug": "pilot-weather",
        "name": "Weather pilot, shared readings",
        "from": "wind-gauge",
        "units": 3,
        "days_ago": 88,
        "grant": "access",
        "max_claims": 25,
        "claims": 7,
        "document": "wind-gauge",
        "description": "See three gauges at the harbour for as long as the pilot runs.",
    },
    {
        "slug": "starter-kit-munich",
        "name": "Starter kit, Munich fair",
        "from": "aqua-meter",
        "units": 4,
        "days_ago": 70,
        "max_claims": 1,
        "claims": 1,
        "document": "aqua-meter",
        "description": "Four meters, for the winner of the draw.",
    },
    {
        "slug": "spring-open-day",
        "name": "Open day in spring",
        "from": "edge-gateway",
        "units": 1,
        "days_ago": 95,
        "grant": "access",
        "claims": 4,
        "ends": 40,
        "document": "edge-gateway",
        "description": "A look at our demo gateway.",
    },
]

REASONS = [
    "Returned under warranty: display stays dark",
    "Ordered too many",
    "Water in the housing, replaced",
    "Tenant moved out, meter handed back",
    "Wrong variant delivered",
    "Battery replaced, goes back to stock",
    "Claimed by the installer instead of the customer",
    "End of the pilot",
]

NOTES = [
    "Antenna replaced in repair.",
    "Loaned out twice before; check the seal.",
    "Shown at the Munich fair.",
    "Customer asked for a second label.",
    "Reports slowly below -10 °C; watch it.",
    "Housing has a scratch on the back.",
]

TAGS = ["spare", "field-test", "priority", "refurbished"]

ANSWERS = ["Pump house north", "Plant room 2", "Roof east", "Harbour office", "Basement B1", "Substation 14", "Barn 3"]

# (cause of a refused claim, weight)
CAUSES = [("already_owned", 9), ("replaced", 4), ("used_up", 3), ("disabled", 3)]
