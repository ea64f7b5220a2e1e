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

__all__ = ["Claim", "ClaimCode", "ClaimProfile", "ClaimProfileMember", "ClaimProfileResource",
           "ClaimStep", "Grant", "ResourceKind", "Scope", "State", "Step"]  # fmt: skip
