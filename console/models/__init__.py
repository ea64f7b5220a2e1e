from console.models.event import Event
from console.models.idempotency import IdempotentAnswer
from console.models.imports import FileImport
from console.models.mail import OutgoingMail
from console.models.member import Invitation, Member, Role
from console.models.operation import Operation, OperationRow
from console.models.organization import Organization, OrganizationDomain, OrganizationLogo
from console.models.sign_in_link import SignInLink
from console.models.throttle import Throttle
from console.models.user import User
from console.models.webhook import DeliveryState, Webhook, WebhookAttempt, WebhookDelivery
from console.models.word import NameWord
from console.models.worker import WorkerHeartbeat

__all__ = [
    "DeliveryState",
    "Event",
    "FileImport",
    "IdempotentAnswer",
    "Invitation",
    "Member",
    "NameWord",
    "Operation",
    "OperationRow",
    "Organization",
    "OrganizationDomain",
    "OrganizationLogo",
    "OutgoingMail",
    "Role",
    "SignInLink",
    "Throttle",
    "User",
    "Webhook",
    "WebhookAttempt",
    "WebhookDelivery",
    "WorkerHeartbeat",
]
