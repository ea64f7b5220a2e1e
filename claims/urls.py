"""Claim profiles, their codes and claims in the console; the public pages are in `claims.public_urls`."""

from django.urls import include, path

from claims import label_urls, portal_urls, public_urls
from claims.return_urls import return_patterns
from claims.shipment_urls import shipment_patterns
from claims.views import claim_profiles, codes, units

claims_patterns = [
    path("claim-profiles/", claim_profiles.claim_profile_list, name="claim_profile_list"),
    path("claim-profiles/new/", claim_profiles.claim_profile_create, name="claim_profile_create"),
    path("claim-profiles/export/", claim_profiles.claim_profile_export, name="claim_profile_export"),
    path("claim-profiles/add-units/", units.claim_profile_add_units, name="claim_profile_add_units"),
    path("claim-profiles/<int:pk>/", claim_profiles.claim_profile_detail, name="claim_profile_detail"),
    path("claim-profiles/<int:pk>/edit/", claim_profiles.claim_profile_edit, name="claim_profile_edit"),
    path("claim-profiles/<int:pk>/enable/", claim_profiles.claim_profile_enable, name="claim_profile_enable"),
    path(
        "claim-profiles/<int:pk>/disable/", claim_profiles.claim_profile_disable, name="claim_profile_disable"
    ),
    path("claim-profiles/<int:pk>/claims/", claim_profiles.claim_profile_claims, name="claim_profile_claims"),
    path("claim-profiles/<int:pk>/units/", units.claim_profile_units, name="claim_profile_units"),
    path(
        "claim-profiles/<int:pk>/units/export/",
        units.claim_profile_units_export,
        name="claim_profile_units_export",
    ),
    path(
        "claim-profiles/<int:pk>/replace-code/",
        codes.claim_profile_replace_code,
        name="claim_profile_replace_code",
    ),
    path("claim-profiles/<int:pk>/qr.<str:form>", codes.claim_profile_qr, name="claim_profile_qr"),
    *return_patterns,
    *shipment_patterns,
    path("devices/<int:pk>/claim-code.<str:form>", codes.unit_code_qr, name="unit_code_qr"),
    path("devices/<int:pk>/claim-code/replace/", codes.unit_code_replace, name="unit_code_replace"),
    *label_urls.label_patterns,
]

urlpatterns = [
    path("", include((claims_patterns, "claims"))),
    path("", include((public_urls.urlpatterns, "claim"))),
    path("", include((portal_urls.urlpatterns, "portal"))),
]
