"""Event kinds of customers, their people, projects and API keys."""

from django.utils.translation import gettext_lazy as _

from console.access import Permission
from console.audit import subjects
from console.audit.kinds import Group, Kind
from console.events import SETTINGS
from console.webhooks import scopes
from customers.models import Customer, CustomerImport

CUSTOMERS = Group(_("Customers"), place=30)

CUSTOMER_CREATED = Kind(
    "customer.created",
    _("Customer created"),
    "building-2",
    _("{actor} created the customer {subject}"),
    CUSTOMERS,
    former=("customer.made",),
)
CUSTOMER_EDITED = Kind(
    "customer.edited", _("Customer edited"), "pencil", _("{actor} edited the customer {subject}"), CUSTOMERS
)
CUSTOMER_IMPORTED = Kind(
    "customer.imported", _("Customer imported"), "upload", _("{actor} imported the customer {subject}"), CUSTOMERS
)
CUSTOMER_FILE_APPLIED = Kind(
    "customer.file_applied",
    _("Customer file applied"),
    "file-spreadsheet",
    _("{actor} imported customers from {subject}"),
    CUSTOMERS,
)
CUSTOMER_ARCHIVED = Kind(
    "customer.archived", _("Customer archived"), "archive", _("{actor} archived the customer {subject}"), CUSTOMERS
)
CUSTOMER_RESTORED = Kind(
    "customer.restored",
    _("Customer restored"),
    "archive-restore",
    _("{actor} restored the customer {subject}"),
    CUSTOMERS,
)
PERSON_INVITED = Kind(
    "customer.person_invited",
    _("Customer's person invited"),
    "user-plus",
    _("{actor} invited {subject} to {object}"),
    CUSTOMERS,
)
PERSON_INVITED_AGAIN = Kind(
    "customer.person_invited_again",
    _("Customer's person reinvited"),
    "mail",
    _("{actor} sent {subject} another invitation to {object}"),
    CUSTOMERS,
)
PERSON_EDITED = Kind(
    "customer.person_edited",
    _("Customer's person edited"),
    "user-check",
    _("{actor} changed the role of {subject} at {object}"),
    CUSTOMERS,
)
PERSON_REMOVED = Kind(
    "customer.person_removed",
    _("Customer's person removed"),
    "user-x",
    _("{actor} removed {subject} from {object}"),
    CUSTOMERS,
)
PROJECT_CREATED = Kind(
    "project.created",
    _("Project created"),
    "folder",
    _("{actor} created the project {subject} for {object}"),
    CUSTOMERS,
    former=("project.made",),
)
PROJECT_EDITED = Kind(
    "project.edited", _("Project renamed"), "pencil", _("{actor} renamed the project {subject} of {object}"), CUSTOMERS
)
PROJECT_MEMBER_JOINED = Kind(
    "project.member_joined",
    _("Access to a project granted"),
    "user-plus",
    _("{subject} got access to a project of {object}"),
    CUSTOMERS,
)
PROJECT_MEMBER_ENDED = Kind(
    "project.member_ended",
    _("Access to a project ended"),
    "user-x",
    _("{actor} ended {subject}'s access to a project of {object}"),
    CUSTOMERS,
)
API_KEY_CREATED = Kind(
    "api_key.created",
    _("API key created"),
    "key-round",
    _("{actor} created the API key {subject}"),
    SETTINGS,
    former=("api_key.made",),
)
API_KEY_REVOKED = Kind(
    "api_key.revoked", _("API key revoked"), "ban", _("{actor} revoked the API key {subject}"), SETTINGS
)

subjects.register(
    subjects.Subject(Customer, page="customers:customer_detail", title=_("Customers"), place=30, search_key="name_key")
)
subjects.register(
    subjects.Subject(CustomerImport, page="customers:customer_import_detail", may=Permission.CUSTOMER_IMPORT)
)
scopes.register(
    scopes.Scope("customer", Customer, place=20, unknown=_("There is no such active customer. Choose another one."))
)
