"""URLs of claim profiles, codes and claims in the console. `claims.redemption.urls` has the public pages."""

from django.urls import include, path

from claims.labels import urls
from claims.portal import urls as portal_urls
from claims.profiles import code_views, unit_views, views
from claims.redemption import urls as public_urls
from claims.returns.urls import return_patterns
from claims.shipments.urls import shipment_patterns

claims_patterns = [
    path("claim-profiles/", views.claim_profile_list, name="claim_profile_list"),
    path("claim-profiles/new/", views.claim_profile_create, name="claim_profile_create"),
    path("claim-profiles/export/", views.claim_profile_export, name="claim_profile_export"),
    path("claim-profiles/add-units/", unit_views.claim_profile_add_units, name="claim_profile_add_units"),
    path("claim-profiles/<int:pk>/", views.claim_profile_detail, name="claim_profile_detail"),
    path("claim-profiles/<int:pk>/edit/", views.claim_profile_edit, name="claim_profile_edit"),
    path("claim-profiles/<int:pk>/enable/", views.claim_profile_enable, name="claim_profile_enable"),
    path("claim-profiles/<int:pk>/disable/", views.claim_profile_disable, name="claim_profile_disable"),
    path("claim-profiles/<int:pk>/claims/", views.claim_profile_claims, name="claim_profile_claims"),
    path("claim-profiles/<int:pk>/units/", unit_views.claim_profile_units, name="claim_profile_units"),
    path(
        "claim-profiles/<int:pk>/units/export/",
        unit_views.claim_profile_units_export,
        name="claim_profile_units_export",
    ),
    path(
        "claim-profiles/<int:pk>/replace-code/",
        code_views.claim_profile_replace_code,
        name="claim_profile_replace_code",
    ),
    path("claim-profiles/<int:pk>/qr.<str:form>", code_views.claim_profile_qr, name="claim_profile_qr"),
    *return_patterns,
    *shipment_patterns,
    path("devices/<int:pk>/claim-code.<str:form>", code_views.unit_code_qr, name="unit_code_qr"),
    path("devices/<int:pk>/claim-code/replace/", code_views.unit_code_replace, name="unit_code_replace"),
    *urls.label_patterns,
]

urlpatterns = [
    path("", include((claims_patterns, "claims"))),
    path("", include((public_urls.urlpatterns, "claim"))),
    path("", include((portal_urls.urlpatterns, "portal"))),
]
