from claims.models.claim import Claim
from claims.models.claim_code import ClaimCode
from claims.models.claim_profile import (
    ClaimProfile,
    ClaimProfileMember,
    ClaimProfileResource,
    Grant,
    ResourceKind,
    Scope,
    State,
)
from claims.models.claim_step import ClaimStep, Step
from claims.models.label_sheet import LabelSheet
from claims.models.returns import Grade, Return, ReturnCheck, ReturnReason, ReturnSettings, ReturnState
from claims.models.shipment import Shipment, ShipmentLine, ShipmentScan, ShipmentState, ShipmentUnit

__all__ = [
    "Claim",
    "ClaimCode",
    "ClaimProfile",
    "ClaimProfileMember",
    "ClaimProfileResource",
    "ClaimStep",
    "Grade",
    "Grant",
    "LabelSheet",
    "ResourceKind",
    "Return",
    "ReturnCheck",
    "ReturnReason",
    "ReturnSettings",
    "ReturnState",
    "Scope",
    "Shipment",
    "ShipmentLine",
    "ShipmentScan",
    "ShipmentState",
    "ShipmentUnit",
    "State",
    "Step",
]
