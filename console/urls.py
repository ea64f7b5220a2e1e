"""All addresses. Those of the domain's apps are included by name."""

from django.urls import URLPattern, URLResolver, include, path
from django.views.i18n import set_language

from console.audit import views
from console.people import account_views, member_views, sign_in_link_views
from console.policies import public
from console.rest import urls as rest
from console.server import views as health
from console.views import errors, home, mail, operations, organization, search, setup

console: list[URLPattern | URLResolver] = [
    path("", home.home, name="home"),
    path("search/", search.search, name="search"),
    path("activity/", views.activity_list, name="activity_list"),
    path("activity/export/", views.activity_export, name="activity_export"),
    path("operations/", operations.operation_list, name="operation_list"),
    path("operations/<int:pk>/", operations.operation_detail, name="operation_detail"),
    path("operations/<int:pk>/refused.csv", operations.operation_refused, name="operation_refused"),
    path("settings/", organization.organization_edit, name="organization_edit"),
    path("settings/logo/", organization.organization_logo, name="organization_logo"),
    path("settings/domains/", organization.domain_list, name="domain_list"),
    path("settings/domains/<int:pk>/remove/", organization.domain_remove, name="domain_remove"),
    path("settings/roles/", organization.role_list, name="role_list"),
    path("settings/members/", member_views.member_list, name="member_list"),
    path("settings/members/invite/", member_views.invitation_create, name="invitation_create"),
    path("settings/members/<int:pk>/", member_views.member_edit, name="member_edit"),
    path("settings/members/<int:pk>/remove/", member_views.member_remove, name="member_remove"),
    path("settings/invitations/<int:pk>/revoke/", member_views.invitation_revoke, name="invitation_revoke"),
    path("", include("console.webhooks.urls")),
    path("organization/", organization.organization_switch, name="organization_switch"),
    path("mail/", mail.mail_list, name="mail_list"),
    path("mail/<str:key>/", mail.mail_open, name="mail_open"),
    path("setup/", setup.setup, name="setup"),
    path("invitation/<str:token>/", member_views.invitation_accept, name="invitation_accept"),
    path("account/", account_views.account_edit, name="account_edit"),
    path("account/language/", public("Everybody may choose a language.")(set_language), name="language"),
    path("account/sign-out-everywhere/", account_views.sign_out_everywhere, name="sign_out_everywhere"),
    path("account/code/again/", account_views.code_again, name="code_again"),
    path("account/link/<str:token>/", sign_in_link_views.sign_in_link, name="sign_in_link"),
    path("account/second-step/", account_views.second_factor, name="second_factor"),
    path("brand/<slug:slug>/logo.png", organization.logo, name="logo"),
    path("healthz", health.healthz, name="healthz"),
    path("readyz", health.readyz, name="readyz"),
]

api: list[URLPattern | URLResolver] = [
    *rest.urlpatterns,
    path("", include("customers.api.urls")),
    path("", include("devices.api.urls")),
    path("", include("claims.api.urls")),
    rest.nothing_here,
]

urlpatterns = [
    # First, because it is requested most, and all the others would be tried before it.
    path("device/v1/", include("devices.device_api.urls")),
    path("", include((console, "console"))),
    path("api/v1/", include((api, "api"))),
    path("", include("customers.urls")),
    path("", include("devices.urls")),
    path("", include("claims.urls")),
    path("account/", include("allauth.account.urls")),
    path("account/security/", include("allauth.mfa.urls")),
]

handler400 = errors.bad_request
handler403 = errors.forbidden
handler404 = errors.not_found_page
handler429 = errors.too_many
handler500 = errors.server_error
