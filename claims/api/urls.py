"""URLs of the REST API of claim profiles, claims, shipments, returns and labels."""

from django.urls import path

from claims.labels import api as label_sheets
from claims.labels import api_queue as label_queue
from claims.profiles import api as profiles
from claims.profiles import api_codes as unit_codes
from claims.redemption import api as redemption
from claims.returns import api as returns
from claims.returns import api_settings as return_settings
from claims.shipments import api as shipments
from console.rest.endpoints import resource
from console.rest.exports import files

PROFILE = "claim-profiles/<str:key>"
SHIPMENT = "shipments/<int:pk>"

urlpatterns = [
    path("claim-profiles", resource(get=profiles.claim_profile_list, post=profiles.claim_profile_create)),
    *files("claim-profiles", profiles.claim_profile_export),
    path(PROFILE, resource(get=profiles.claim_profile_detail, patch=profiles.claim_profile_edit)),
    path(f"{PROFILE}/enable", resource(post=profiles.claim_profile_enable)),
    path(f"{PROFILE}/disable", resource(post=profiles.claim_profile_disable)),
    path(f"{PROFILE}/code", resource(get=profiles.claim_profile_code)),
    path(f"{PROFILE}/qr.svg", resource(get=profiles.claim_profile_qr_svg)),
    path(f"{PROFILE}/qr.png", resource(get=profiles.claim_profile_qr_png)),
    path(f"{PROFILE}/replace-code", resource(post=profiles.claim_profile_replace_code)),
    path(f"{PROFILE}/claims", resource(get=redemption.claim_profile_claims)),
    path(f"{PROFILE}/units", resource(get=profiles.claim_profile_units, post=profiles.claim_profile_add_units)),
    *files(f"{PROFILE}/units", profiles.claim_profile_units_export),
    path("devices/<int:pk>/claim-codes", resource(get=profiles.device_claim_codes)),
    path("devices/<int:pk>/claim-codes/qr.svg", resource(get=unit_codes.unit_code_qr_svg)),
    path("devices/<int:pk>/claim-codes/qr.png", resource(get=unit_codes.unit_code_qr_png)),
    path("devices/<int:pk>/claim-codes/replace", resource(post=profiles.device_claim_codes_replace)),
    path("claims", resource(get=redemption.claim_list)),
    path("claims/<int:pk>", resource(get=redemption.claim_detail)),
    path("claims/redeem", resource(post=redemption.claim_redeem)),
    path("shipments", resource(get=shipments.shipment_list, post=shipments.shipment_create)),
    path(SHIPMENT, resource(get=shipments.shipment_detail, patch=shipments.shipment_edit)),
    path(f"{SHIPMENT}/pack", resource(post=shipments.shipment_pack)),
    path(f"{SHIPMENT}/unpack", resource(post=shipments.shipment_unpack)),
    path(f"{SHIPMENT}/ship", resource(post=shipments.shipment_ship)),
    path(f"{SHIPMENT}/send", resource(post=shipments.shipment_send)),
    path(f"{SHIPMENT}/cancel", resource(post=shipments.shipment_cancel)),
    path(f"{SHIPMENT}/reopen", resource(post=shipments.shipment_reopen)),
    path(f"{SHIPMENT}/units", resource(get=shipments.shipment_units)),
    *files(f"{SHIPMENT}/units", shipments.shipment_export),
    path(f"{SHIPMENT}/balance", resource(get=shipments.shipment_balance)),
    path(f"{SHIPMENT}/packing-list.pdf", resource(get=shipments.shipment_packing_list)),
    path("returns", resource(get=returns.return_list)),
    *files("returns", returns.return_export),
    path("returns/choices", resource(get=returns.return_choice_list)),
    path("returns/receive", resource(post=returns.return_receive)),
    path("returns/inspect", resource(post=returns.return_inspect)),
    path("returns/request", resource(post=returns.return_request)),
    path("returns/<int:pk>", resource(get=returns.return_detail)),
    path("returns/<int:pk>/cancel", resource(post=returns.return_cancel)),
    path("returns/<int:pk>/slip.pdf", resource(get=returns.return_slip)),
    path(
        "return-settings",
        resource(get=return_settings.return_settings_detail, patch=return_settings.return_settings_edit),
    ),
    path("label-queue", resource(get=label_queue.label_queue_list)),
    path("label-queue/done", resource(post=label_queue.label_queue_done)),
    path("devices/<int:pk>/swap", resource(post=returns.device_swap)),
    path("label-sheets", resource(get=label_sheets.label_sheet_list, post=label_sheets.label_sheet_create)),
    path("label-sheets/<int:pk>", resource(get=label_sheets.label_sheet_detail)),
    path("label-sheets/<int:pk>/file", resource(get=label_sheets.label_sheet_file)),
]
