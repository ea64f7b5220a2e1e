"""All settings, in one file. What an operator sets is read from the environment; docs/operating.md lists it."""

from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from django.core.exceptions import ImproperlyConfigured
from django.utils.translation import gettext_lazy as _

from console import environment, keys
from console.version import VERSION

BASE_DIR = Path(__file__).resolve().parent.parent
DATA_DIR = Path(environment.text("CUSTODY_DATA", str(BASE_DIR / "var")))

DEBUG = environment.flag("CUSTODY_DEBUG")
PORT = environment.number("PORT", 8000, least=1, most=65_535)
# Every link, QR code and mail is built from this, never from the request's host.
BASE_URL = environment.text("CUSTODY_BASE_URL", f"http://localhost:{PORT}").rstrip("/")
_base = urlsplit(BASE_URL)
if _base.scheme not in {"http", "https"} or not _base.hostname:
    raise ImproperlyConfigured(f"CUSTODY_BASE_URL is {BASE_URL!r}; it must look like https://custody.example.com.")
SECURE = _base.scheme == "https"
EMBEDDED = environment.flag("CUSTODY_EMBEDDED")

SECRET_KEY = environment.text("CUSTODY_SECRET_KEY") or keys.read_secret(DATA_DIR)
# Several keys may be configured by id; new codes are derived with the first.
CLAIM_KEYS = keys.parse_claim_keys(environment.text("CUSTODY_CLAIM_KEYS") or keys.read_claim_keys(DATA_DIR))

ALLOWED_HOSTS = sorted({_base.hostname, *filter(None, environment.text("CUSTODY_HOSTS").split(","))})
if _base.hostname == "localhost":
    ALLOWED_HOSTS += ["127.0.0.1", "[::1]"]
CSRF_TRUSTED_ORIGINS = [BASE_URL]

INSTALLED_APPS = [
    "console",
    "customers",
    "devices",
    "claims",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.humanize",
    "django.forms",
    "whitenoise.runserver_nostatic",
    "django.contrib.staticfiles",
    "django_htmx",
    "django_tables2",
    "django_filters",
    "rest_framework",
    "drf_spectacular",
    "allauth",
    "allauth.account",
    "allauth.mfa",
    "django_tasks",
    "django_tasks_db",
]

MIDDLEWARE = [
    "console.middleware.security_headers",
    "django.middleware.security.SecurityMiddleware",
    "console.middleware.straight",
    "django.middleware.gzip.GZipMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.locale.LocaleMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "allauth.account.middleware.AccountMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "django_htmx.middleware.HtmxMiddleware",
    "console.middleware.actor",
    "console.middleware.refusals",
]

ROOT_URLCONF = "console.urls"
WSGI_APPLICATION = "console.wsgi.application"
TEMPLATES: list[dict[str, Any]] = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [BASE_DIR / "templates"],
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
                "console.context_processors.frame",
            ],
            "builtins": [
                "django.templatetags.i18n",
                "console.templatetags.custody",
                "console.templatetags.components",
            ],
            "loaders": [
                (
                    "django.template.loaders.cached.Loader",
                    ["console.template_loader.Loader", "django.template.loaders.app_directories.Loader"],
                )
            ],
        },
    }
]
if DEBUG:
    TEMPLATES[0]["OPTIONS"]["loaders"] = TEMPLATES[0]["OPTIONS"]["loaders"][0][1]
FORM_RENDERER = "console.forms.Renderer"

DATABASES = {"default": environment.database(environment.text("DATABASE_URL"), DATA_DIR / "custody.sqlite3")}
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
# The sign-in limits are counted here, so it must be shared by all processes.
CACHES = {"default": {"BACKEND": "django.core.cache.backends.db.DatabaseCache", "LOCATION": "console_cache"}}

AUTH_USER_MODEL = "console.User"
AUTHENTICATION_BACKENDS = ["allauth.account.auth_backends.AuthenticationBackend"]
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": "django.contrib.auth.password_validation.UserAttributeSimilarityValidator"},
    {"NAME": "django.contrib.auth.password_validation.MinimumLengthValidator", "OPTIONS": {"min_length": 10}},
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
    {"NAME": "django.contrib.auth.password_validation.NumericPasswordValidator"},
]
LOGIN_URL = "account_login"
LOGIN_REDIRECT_URL = "console:home"

ACCOUNT_ADAPTER = "console.people.adapters.AccountAdapter"
ACCOUNT_USER_MODEL_USERNAME_FIELD = None
ACCOUNT_LOGIN_METHODS = {"email"}
ACCOUNT_SIGNUP_FIELDS = ["email*", "password1*"]
# Members are invited and customers prove their address with a mailed code: nobody signs up by a form.
ACCOUNT_EMAIL_VERIFICATION = "none"
ACCOUNT_LOGIN_BY_CODE_ENABLED = True
ACCOUNT_LOGIN_BY_CODE_MAX_ATTEMPTS = 5
ACCOUNT_LOGIN_BY_CODE_TIMEOUT = 600
# People request another mail in the same way as the first one, so that it counts toward the same limits.
ACCOUNT_LOGIN_BY_CODE_SUPPORTS_RESEND = False
# The library's limits lock out people for attempts by strangers. `console.people.allowances` does not, and defines the
# limits instead.
ACCOUNT_RATE_LIMITS: dict[str, str | None] | bool = dict.fromkeys(
    ["login", "login_failed", "request_login_code", "reset_password", "reset_password_from_key"]
)
# A passkey can't be guessed.
MFA_RATE_LIMITS = False
ACCOUNT_FORMS = {
    "login": "console.people.adapters.LoginForm",
    "request_login_code": "console.people.adapters.RequestCodeForm",
    "confirm_login_code": "console.people.adapters.ConfirmCodeForm",
    "reset_password": "console.people.adapters.ResetPasswordForm",
    "reset_password_from_key": "console.people.adapters.ResetPasswordKeyForm",
    "change_password": "console.people.adapters.ChangePasswordForm",
    "set_password": "console.people.adapters.SetPasswordForm",
    "reauthenticate": "console.people.adapters.ReauthenticateForm",
}
# A second, unverified address would let one person receive codes in the name of another.
ACCOUNT_MAX_EMAIL_ADDRESSES = 1
ACCOUNT_LOGOUT_ON_GET = False
ACCOUNT_LOGOUT_REDIRECT_URL = "account_login"
ACCOUNT_SESSION_REMEMBER = True
ACCOUNT_EMAIL_NOTIFICATIONS = True
ACCOUNT_EMAIL_SUBJECT_PREFIX = ""
ALLAUTH_TRUSTED_PROXY_COUNT = environment.number("CUSTODY_PROXIES", 0, most=10)
MFA_ADAPTER = "console.people.adapters.MfaAdapter"
MFA_FORMS = {
    "add_webauthn": "console.people.adapters.AddPasskeyForm",
    "authenticate": "console.people.adapters.SecondStepForm",
    "reauthenticate": "console.people.adapters.SecondStepAgainForm",
}
MFA_SUPPORTED_TYPES = ["totp", "webauthn", "recovery_codes"]
MFA_PASSKEY_LOGIN_ENABLED = True
MFA_WEBAUTHN_ALLOW_INSECURE_ORIGIN = not SECURE
MFA_TOTP_ISSUER = "Custody"

SESSION_COOKIE_AGE = 60 * 60 * 24 * 14
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = SECURE
SESSION_COOKIE_NAME, CSRF_COOKIE_NAME, LANGUAGE_COOKIE_NAME = "custody", "custody_csrf", "custody_language"
SECURE_REFERRER_POLICY = "same-origin"
SECURE_HSTS_SECONDS = 60 * 60 * 24 * 365 if SECURE else 0
SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https") if ALLAUTH_TRUSTED_PROXY_COUNT else None
X_FRAME_OPTIONS = "DENY"
CSRF_FAILURE_VIEW = "console.views.errors.csrf_failure"
# The base URL's check covers security over http; the rest of `check --deploy` applies as it is.
SILENCED_SYSTEM_CHECKS = ["security.W004", "security.W008", "security.W012", "security.W016"] if not SECURE else []

LANGUAGE_CODE = "en"
LANGUAGES = [("en", _("English")), ("de", _("German"))]
LOCALE_PATHS = [BASE_DIR / "locale"]
TIME_ZONE = "UTC"
USE_TZ = True
USE_THOUSAND_SEPARATOR = True

STATIC_URL = "/static/"
STATIC_ROOT = DATA_DIR / "static"
STATICFILES_DIRS = [BASE_DIR / "static"]
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage", "OPTIONS": {"location": DATA_DIR / "files"}},
    "staticfiles": {"BACKEND": "whitenoise.storage.CompressedManifestStaticFilesStorage"},
}
if DEBUG:
    STORAGES["staticfiles"] = {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"}

# Files above 1 MB are written to disk while they arrive, and a file above the limit is refused without being stored.
FILE_UPLOAD_HANDLERS = ["console.uploads.QuotaHandler", "django.core.files.uploadhandler.TemporaryFileUploadHandler"]
FILE_UPLOAD_TEMP_DIR = None
UPLOAD_LIMIT = environment.number("CUSTODY_UPLOAD_LIMIT", 50 * 1024 * 1024, least=1_000)
DATA_UPLOAD_MAX_NUMBER_FIELDS = 2000

EMAIL_BACKEND = "console.mail.OutboxBackend"
DEFAULT_FROM_EMAIL = environment.text("CUSTODY_MAIL_FROM", f"Custody <custody@{_base.hostname}>")
MAIL_URL = environment.text("CUSTODY_MAIL_URL")
MAIL_DIR = DATA_DIR / "mail"
globals().update(environment.mail(MAIL_URL))

TASKS = {
    "default": {
        "BACKEND": environment.text("CUSTODY_TASKS", "django_tasks_db.DatabaseBackend"),
        "QUEUES": ["mail", "operations", "webhooks"],
    }
}

REST_FRAMEWORK = {
    "DEFAULT_AUTHENTICATION_CLASSES": ["console.rest.authentication.KeyAuthentication"],
    "DEFAULT_PERMISSION_CLASSES": [],
    "DEFAULT_RENDERER_CLASSES": ["rest_framework.renderers.JSONRenderer"],
    "DEFAULT_CONTENT_NEGOTIATION_CLASS": "console.rest.negotiation.JsonOrFile",
    "DEFAULT_PARSER_CLASSES": ["console.rest.negotiation.Json"],
    "DEFAULT_SCHEMA_CLASS": "drf_spectacular.openapi.AutoSchema",
    "EXCEPTION_HANDLER": "console.rest.problems.handle",
    "UNAUTHENTICATED_USER": None,
    "DATETIME_FORMAT": "%Y-%m-%dT%H:%M:%S.%fZ",
}
SPECTACULAR_SETTINGS = {
    "TITLE": "Custody",
    "DESCRIPTION": "Products, devices, customers and claims, and who owned which device when.",
    "VERSION": VERSION,
    "SCHEMA_PATH_PREFIX": "/api/v1",
    "COMPONENT_SPLIT_REQUEST": True,
    # Otherwise two fields of the same name get generated names with digits.
    "ENUM_NAME_OVERRIDES": {
        "CustomerKind": "customers.models.CustomerKind.choices",
        "CustomerRole": "customers.models.CustomerRole.choices",
        "MemberRole": "console.models.member.Role.choices",
        "CallKind": "devices.models.call.CallKind.choices",
        "CallState": "devices.models.call.CallState.choices",
        "DeviceStatus": "devices.models.DeviceStatus.choices",
        "DeliveryState": "console.models.webhook.DeliveryState.choices",
        "OperationState": "console.models.operation.OperationState.choices",
        "ProfileState": "claims.models.claim_profile.State.choices",
        "ShipmentState": "claims.models.ShipmentState.choices",
        "ReturnState": "claims.models.ReturnState.choices",
    },
    "POSTPROCESSING_HOOKS": ["drf_spectacular.hooks.postprocess_schema_enums", "console.rest.schema.add_problems"],
}
# Per key and process.
API_CALLS_A_MINUTE = environment.number("CUSTODY_API_CALLS_A_MINUTE", 1_200, least=1)

# Networks that webhooks may connect to besides the public Internet, in CIDR notation.
WEBHOOK_NETWORKS = environment.networks("CUSTODY_WEBHOOK_NETWORKS")
# A webhook that has only failed for this many days is disabled.
WEBHOOK_DAYS = environment.number("CUSTODY_WEBHOOK_DAYS", 5, least=1)
# Deliveries of a disabled webhook are kept for this many days; the webhook log is deleted after 30.
WEBHOOK_KEPT_DAYS = environment.number("CUSTODY_WEBHOOK_KEPT_DAYS", 7, most=30)

LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "filters": {"codes": {"()": "console.logs.HideCodes"}},
    "formatters": {"line": {"format": "%(asctime)s %(levelname)s %(name)s %(message)s"}},
    "handlers": {"console": {"class": "logging.StreamHandler", "filters": ["codes"], "formatter": "line"}},
    "root": {"handlers": ["console"], "level": "WARNING"},
    "loggers": {"django.server": {"handlers": ["console"], "propagate": False}, "custody": {"level": "INFO"}},
}

# Messages are kept for this many days; 0 keeps them forever. A webhook delivery needs its message for four days longer
# than the delivery is kept for a disabled webhook.
MESSAGE_DAYS = environment.number("CUSTODY_MESSAGE_DAYS", 0)
if MESSAGE_DAYS:
    MESSAGE_DAYS = max(MESSAGE_DAYS, 7, WEBHOOK_KEPT_DAYS + 4)
# How many devices at once may wait for calls in each server process; each of them occupies a thread.
DEVICE_WAITS = environment.number("CUSTODY_DEVICE_WAITS", 4)
# Besides the server, while the demo runs: commands of manage.py by their names.
DEMO_ALSO = {
    "the simulator": [
        "simulate",
        "--organization=northlake-sensors",
        "--devices=12",
        "--waiting=2",
        "--every=60",
        "--skip-checks",
    ]
}
