"""Every setting of the service, read once from the environment by typed readers.

``docs/operating.md`` explains each. Production must name its secrets and addresses: a missing one
stops the start. With TRIBUTE_EMBEDDED=1 (demo, development, tests) the rest has working defaults.
"""

import hashlib
import json
import os
import re
import sys
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, unquote, urlsplit

from django.core.exceptions import ImproperlyConfigured

PROJECT = Path(__file__).resolve().parent.parent


def env_text(name: str, default: str | None = None) -> str:
    """Return the text of a variable; without one and without a default, stop the start."""
    value = os.environ.get(name) or default
    if value is None:
        raise ImproperlyConfigured(f"the environment must set {name}; see docs/operating.md")
    return value


def env_whole(name: str, default: int, *, least: int = 0, most: int = 2**62) -> int:
    """Return a whole number within its bounds."""
    text = os.environ.get(name) or str(default)
    if not text.lstrip("-").isdecimal() or not least <= int(text) <= most:
        raise ImproperlyConfigured(f"{name} must be a whole number from {least} to {most}")
    return int(text)


def env_flag(name: str, *, default: bool = False) -> bool:
    """Return true for 1, true, yes; false for 0, false, no; refuse anything else."""
    text = (os.environ.get(name) or str(default)).lower()
    if text not in {"1", "true", "yes", "0", "false", "no"}:
        raise ImproperlyConfigured(f"{name} must be one of 1, 0, true, false, yes, no")
    return text in {"1", "true", "yes"}


def env_secret(name: str) -> str:
    """Return a secret of at least 32 characters; derive one from the place when embedded."""
    if EMBEDDED and not os.environ.get(name):
        return hashlib.sha256(f"embedded:{name}:{PROJECT}".encode()).hexdigest()
    value = env_text(name)
    if len(value) < 32:  # noqa: PLR2004 - 128 bits in hexadecimal
        raise ImproperlyConfigured(f"{name} must have at least 32 characters")
    return value


def env_seed(name: str) -> str:
    """Return an Ed25519 seed, 64 hexadecimal digits; empty when embedded without one."""
    value = os.environ.get(name, "") if EMBEDDED else env_text(name)
    if value and not re.fullmatch("[0-9a-fA-F]{64}", value):
        raise ImproperlyConfigured(f"{name} must be 64 hexadecimal digits")
    return value


def env_json(name: str, default: str) -> Any:
    """Return the JSON value of a variable."""
    try:
        return json.loads(os.environ.get(name) or default)
    except ValueError as error:
        raise ImproperlyConfigured(f"{name} must be JSON: {error}") from error


def env_wholes(name: str, default: str) -> dict[str, int]:
    """Return a JSON object of whole numbers above zero, each under a currency's code."""
    value = env_json(name, default)
    if not isinstance(value, dict) or any(
        type(number) is not int or not 0 < number <= 2**62 or not re.fullmatch("[A-Z]{3}", code)
        for code, number in value.items()
    ):
        raise ImproperlyConfigured(
            f'{name} must be a JSON object of whole numbers by currency, such as {{"USD": 25000000}}'
        )
    return value


# Prepared is what asks for it, however often anything else is said; None: nothing at all.
_PREPARED = sys.maxsize if env_flag("DATABASE_PREPARES", default=True) else None


def database(url: str) -> dict[str, Any]:
    """Turn ``postgresql://user:password@host:port/name?option=…`` into Django's terms."""
    parts = urlsplit(url)
    if parts.scheme not in {"postgres", "postgresql"} or not parts.path.strip("/"):
        raise ImproperlyConfigured("DATABASE_URL must look like postgresql://user:pass@host/name")
    return {
        "ENGINE": "django.db.backends.postgresql",
        "NAME": unquote(parts.path.lstrip("/")),
        "USER": unquote(parts.username or ""),
        "PASSWORD": unquote(parts.password or ""),
        "HOST": parts.hostname or "",
        "PORT": str(parts.port or ""),
        "CONN_MAX_AGE": env_whole("DATABASE_CONNECTION_SECONDS", 60),
        "CONN_HEALTH_CHECKS": True,
        "OPTIONS": {"prepare_threshold": _PREPARED, **dict(parse_qsl(parts.query))},
    }


# The place and its addresses -------------------------------------------------------------------

EMBEDDED = env_flag("TRIBUTE_EMBEDDED")
HOME = Path(env_text("TRIBUTE_HOME", str(PROJECT / ".tribute")))
PUBLIC_URL = env_text("PUBLIC_URL", "http://localhost:8000" if EMBEDDED else None).rstrip("/")
ALLOWED_HOSTS = (
    ["localhost", "127.0.0.1", "[::1]", "testserver"]
    if EMBEDDED
    else [urlsplit(PUBLIC_URL).hostname or ""]
)
CSRF_TRUSTED_ORIGINS = [PUBLIC_URL]
DEBUG = False

# Secrets ---------------------------------------------------------------------------------------

SECRET_KEY = env_secret("SECRET_KEY")
# Ed25519 seed, 64 hexadecimal digits: signs the receipts of checks.
RECEIPT_SIGNING_KEY = env_secret("RECEIPT_SIGNING_KEY")
# Ed25519 seed: signs the transparency log; embedded, one is made below HOME.
LOG_SIGNING_KEY = env_seed("LOG_SIGNING_KEY")
# What the secrets of webhooks are derived from; with another, every receiver configures anew.
WEBHOOK_KEY = env_secret("WEBHOOK_KEY")
# Comma-separated; the first encrypts, all decrypt. Kept outside the database and its backups.
EVIDENCE_KEYS = env_secret("EVIDENCE_KEYS").split(",")

# PEM file with the key and certificates that sign credits (C2PA); embedded, one is made there.
CONTENT_CREDENTIALS_IDENTITY = os.environ.get("CONTENT_CREDENTIALS_IDENTITY") or (
    str(HOME / "c2pa" / "identity.pem") if EMBEDDED else ""
)

# Data ------------------------------------------------------------------------------------------

DATABASES = {
    "default": database(
        env_text("DATABASE_URL", "postgresql://tribute_app@localhost/tribute" if EMBEDDED else None)
    )
}
if os.environ.get("OWNER_DATABASE_URL"):
    DATABASES["owner"] = database(os.environ["OWNER_DATABASE_URL"])
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
CACHES = {"default": {"BACKEND": "django.core.cache.backends.locmem.LocMemCache"}}

# The transparency log --------------------------------------------------------------------------

# The log's name for ever: signatures carry it. Embedded, the port may change from day to day.
LOG_ORIGIN = env_text(
    "LOG_ORIGIN", "localhost/log" if EMBEDDED else f"{PUBLIC_URL.partition('://')[2]}/log"
)
LOG_FOLDER = Path(env_text("LOG_FOLDER", str(HOME / "transparency-log")))
# Outside the database and the folder, so that restoring them cannot make the log sign a fork.
LOG_LAST_SIGNED = Path(env_text("LOG_LAST_SIGNED", str(HOME / "log-last-signed")))

# Money -----------------------------------------------------------------------------------------

CURRENCIES = env_text("CURRENCIES", "EUR,USD").split(",")
PLATFORM_FEE_PPM = env_whole("PLATFORM_FEE_PPM", 100_000, most=1_000_000)
HOLDING_DAYS = env_whole("HOLDING_DAYS", 30, most=3_650)
# A query reported later than this is flagged.
USAGE_REPORT_HOURS = env_whole("USAGE_REPORT_HOURS", 72, least=1)
# A thief who gives another account must wait for as long as its owner may take to notice.
PAYEE_CHANGE_HOLD_HOURS = env_whole("PAYEE_CHANGE_HOLD_HOURS", 72)
PAYOUT_MINIMUM_MICROS = env_whole("PAYOUT_MINIMUM_MICROS", 1_000_000, least=1)
# {"USD": 25000000}: another minimum for some currencies, here and below.
PAYOUT_MINIMUMS_MICROS = env_wholes("PAYOUT_MINIMUMS_MICROS", "{}")
# How long ago a second factor may have been asked for when somebody decides about money.
SECOND_FACTOR_SECONDS = env_whole("SECOND_FACTOR_SECONDS", 300, least=1, most=3_600)
CREATOR_DEBT_MAXIMUM_MICROS = env_whole("CREATOR_DEBT_MAXIMUM_MICROS", 20_000_000)
CREATOR_DEBT_MAXIMUMS_MICROS = env_wholes("CREATOR_DEBT_MAXIMUMS_MICROS", "{}")
TOPUP_MINIMUM_MICROS = env_whole("TOPUP_MINIMUM_MICROS", 5_000_000, least=1)
TOPUP_MINIMUMS_MICROS = env_wholes("TOPUP_MINIMUMS_MICROS", "{}")
TOPUP_MAXIMUM_MICROS = env_whole("TOPUP_MAXIMUM_MICROS", 100_000_000_000, least=1)
TOPUP_MAXIMUMS_MICROS = env_wholes("TOPUP_MAXIMUMS_MICROS", "{}")
PAYMENT_GATEWAY = env_text("PAYMENT_GATEWAY", "paper" if EMBEDDED else "stripe")
# No batch is approved on a comparison with the provider that is older. 0: however old; paper only
# takes notes, which no other process reads.
RECONCILIATION_MAXIMUM_HOURS = env_whole(
    "RECONCILIATION_MAXIMUM_HOURS", 0 if PAYMENT_GATEWAY == "paper" else 48
)
STATEMENT_FONTS = [each for each in os.environ.get("STATEMENT_FONT", "").split(",") if each]
PAYER_NAME = os.environ.get("PAYER_NAME", "")
PAYER_IBAN = os.environ.get("PAYER_IBAN", "").replace(" ", "")
PAYER_BIC = os.environ.get("PAYER_BIC", "")
STRIPE_API_BASE = os.environ.get("STRIPE_API_BASE") or None
STRIPE_ACCOUNT_API = env_text("STRIPE_ACCOUNT_API", "v2")
STRIPE_LIVE = env_flag("STRIPE_LIVE", default=not EMBEDDED)
if PAYMENT_GATEWAY == "stripe":
    STRIPE_API_KEY = env_text("STRIPE_API_KEY")
    STRIPE_WEBHOOK_SECRET = env_text("STRIPE_WEBHOOK_SECRET")
    STRIPE_CONNECT_WEBHOOK_SECRET = env_text("STRIPE_CONNECT_WEBHOOK_SECRET")
elif PAYMENT_GATEWAY == "paper":
    STRIPE_API_KEY = STRIPE_WEBHOOK_SECRET = STRIPE_CONNECT_WEBHOOK_SECRET = ""
else:
    raise ImproperlyConfigured("PAYMENT_GATEWAY must be stripe or paper")

# Reading other sites ---------------------------------------------------------------------------

# {"psalter.example": ["127.0.0.1", 8123]}: hosts of the demo and of tests. Never in production.
FETCH_TEST_HOSTS: dict[str, tuple[str, int]] = {
    host: (address, int(port))
    for host, (address, port) in env_json("FETCH_TEST_HOSTS", "{}").items()
}
if FETCH_TEST_HOSTS and not EMBEDDED:
    raise ImproperlyConfigured("FETCH_TEST_HOSTS is for demo and tests only")

# The apps --------------------------------------------------------------------------------------

ROOT_URLCONF = "server.urls"
WSGI_APPLICATION = "server.wsgi.application"
INSTALLED_APPS = [
    "registry",
    "ledger",
    "attribution",
    "portal",
    "server",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "django.contrib.humanize",
    "allauth",
    "allauth.account",
    "allauth.mfa",
    "allauth.usersessions",
    "django_htmx",
    "rest_framework",
    "drf_spectacular",
]
MIDDLEWARE = [
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "server.middleware.ReadableBodies",
    "csp.middleware.CSPMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.locale.LocaleMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "portal.languages.remembered",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "server.middleware.PrivateUnlessPublished",
    "allauth.account.middleware.AccountMiddleware",
    "allauth.usersessions.middleware.UserSessionsMiddleware",
    "django_htmx.middleware.HtmxMiddleware",
    "server.middleware.RateLimitHeaders",
]
TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
            ]
        },
    }
]

# People and their sessions ---------------------------------------------------------------------

AUTH_USER_MODEL = "registry.User"
AUTHENTICATION_BACKENDS = ["allauth.account.auth_backends.AuthenticationBackend"]
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": "django.contrib.auth.password_validation.UserAttributeSimilarityValidator"},
    {
        "NAME": "django.contrib.auth.password_validation.MinimumLengthValidator",
        "OPTIONS": {"min_length": 12},
    },
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
]
ACCOUNT_USER_MODEL_USERNAME_FIELD = None
ACCOUNT_LOGIN_METHODS = {"email"}
ACCOUNT_SIGNUP_FIELDS = ["email*", "password1*", "password2*"]
ACCOUNT_EMAIL_VERIFICATION = env_text(
    "ACCOUNT_EMAIL_VERIFICATION", "optional" if EMBEDDED else "mandatory"
)
ACCOUNT_EMAIL_SUBJECT_PREFIX = "[Tribute] "
ACCOUNT_REAUTHENTICATION_TIMEOUT = 300
MFA_SUPPORTED_TYPES = ["totp", "webauthn", "recovery_codes"]
MFA_PASSKEY_LOGIN_ENABLED = True
MFA_WEBAUTHN_ALLOW_INSECURE_ORIGIN = EMBEDDED
MFA_TOTP_ISSUER = "Tribute"
LOGIN_REDIRECT_URL = "portal:overview"
LOGIN_URL = "account_login"
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = PUBLIC_URL.startswith("https:")
SESSION_COOKIE_HTTPONLY = True
SESSION_COOKIE_AGE = 14 * 24 * 3600
EMAIL_BACKEND = env_text(
    "EMAIL_BACKEND",
    "django.core.mail.backends.filebased.EmailBackend"
    if EMBEDDED
    else "django.core.mail.backends.smtp.EmailBackend",
)
EMAIL_FILE_PATH = str(HOME / "mail")
EMAIL_HOST = env_text("EMAIL_HOST", "localhost")
EMAIL_PORT = env_whole("EMAIL_PORT", 25, most=65_535)
EMAIL_HOST_USER = env_text("EMAIL_HOST_USER", "") if os.environ.get("EMAIL_HOST_USER") else ""
EMAIL_HOST_PASSWORD = os.environ.get("EMAIL_HOST_PASSWORD", "")
EMAIL_USE_TLS = env_flag("EMAIL_USE_TLS")
DEFAULT_FROM_EMAIL = env_text("DEFAULT_FROM_EMAIL", "Tribute <no-reply@localhost>")

# People who leave: how long they may think again, and how long money they left is claimed with a code.
ERASURE_DELAY_DAYS = env_whole("ERASURE_DELAY_DAYS", 14, most=30)
ERASURE_CLAIM_DAYS = env_whole("ERASURE_CLAIM_DAYS", 1_095, least=30)

# The browser -----------------------------------------------------------------------------------

SECURE_CONTENT_TYPE_NOSNIFF = True
SECURE_REFERRER_POLICY = "strict-origin-when-cross-origin"
SECURE_HSTS_SECONDS = 31_536_000 if PUBLIC_URL.startswith("https:") else 0
SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https") if env_flag("BEHIND_PROXY") else None
X_FRAME_OPTIONS = "DENY"
CHECKOUT_ORIGINS = ["https://checkout.stripe.com", "https://connect.stripe.com"] + (
    [STRIPE_API_BASE] if STRIPE_API_BASE else []
)
CONTENT_SECURITY_POLICY = {
    "DIRECTIVES": {
        "default-src": ["'self'"],
        "img-src": ["'self'", "data:"],
        "object-src": ["'none'"],
        "base-uri": ["'none'"],
        "form-action": ["'self'", *CHECKOUT_ORIGINS],
        "frame-ancestors": ["'none'"],
    }
}

# Words, times and files ------------------------------------------------------------------------

LANGUAGE_CODE = "en"
LANGUAGES = [("en", "English"), ("zh-hans", "简体中文")]
USE_I18N = True
USE_TZ = True
TIME_ZONE = "UTC"
STATIC_URL = "static/"
# Embedded, the files are served from where they lie; nothing is collected.
STATIC_ROOT = None if EMBEDDED else HOME / "static"
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {"BACKEND": "server.static_files.Storage"},
}
WHITENOISE_USE_FINDERS = EMBEDDED
WHITENOISE_AUTOREFRESH = False
DATA_UPLOAD_MAX_MEMORY_SIZE = 5 * 1024 * 1024
FILE_UPLOAD_MAX_MEMORY_SIZE = 5 * 1024 * 1024
UPLOAD_MAX_BYTES = env_whole("UPLOAD_MAX_BYTES", 50 * 1024 * 1024)
INTAKE_MAX_BYTES = env_whole("INTAKE_MAX_BYTES", 8 * 1024**3)

# The API ---------------------------------------------------------------------------------------

REQUESTS_PER_MINUTE = env_whole("REQUESTS_PER_MINUTE", 600, least=1)
REST_FRAMEWORK = {
    "DEFAULT_AUTHENTICATION_CLASSES": ["registry.api.authentication.BearerKey"],
    "DEFAULT_PERMISSION_CLASSES": ["rest_framework.permissions.IsAuthenticated"],
    "DEFAULT_PARSER_CLASSES": ["registry.api.parsing.StrictJSON"],
    "DEFAULT_RENDERER_CLASSES": ["rest_framework.renderers.JSONRenderer"],
    "DEFAULT_PAGINATION_CLASS": "registry.api.pagination.CursorPage",
    "DEFAULT_THROTTLE_CLASSES": ["registry.api.throttling.PerCaller"],
    "DEFAULT_SCHEMA_CLASS": "server.openapi.Schema",
    "EXCEPTION_HANDLER": "server.api_errors.handle",
    # The API describes itself at /v1/openapi.json, not by OPTIONS.
    "DEFAULT_METADATA_CLASS": None,
    "DEFAULT_CONTENT_NEGOTIATION_CLASS": "registry.api.parsing.JSONOnly",
    "UNAUTHENTICATED_USER": None,
    "COERCE_DECIMAL_TO_STRING": True,
}
SPECTACULAR_SETTINGS = {
    "TITLE": "Tribute",
    "VERSION": "1",
    "OAS_VERSION": "3.1.0",
    "DESCRIPTION": "Ask before you ingest; report what you generate; see who was paid and why.",
    "LICENSE": {"name": "Apache-2.0", "identifier": "Apache-2.0"},
    "SERVERS": [{"url": PUBLIC_URL}],
    "SERVE_INCLUDE_SCHEMA": False,
    "SERVE_AUTHENTICATION": [],
    "SERVE_PERMISSIONS": [],
    "COMPONENT_SPLIT_REQUEST": True,
    "SCHEMA_PATH_PREFIX": r"/v1",
    "ENUM_NAME_OVERRIDES": {
        "WorkIdentifierKind": "registry.api.serializers.WORK_KIND_CHOICES",
        "CollectionKind": "registry.api.serializers.COLLECTION_KIND_CHOICES",
        "Purpose": "registry.api.serializers.PURPOSE_CHOICES",
        "Decision": "registry.api.serializers.DECISION_CHOICES",
        "Medium": "registry.api.serializers.MEDIUM_CHOICES",
        "BatchStatus": "ledger.api.serializers.BATCH_STATUSES",
        "AttributionMethod": "attribution.models.GenerativeModel.Method",
        "QueryState": "attribution.models.Query.State",
        "RelatedPartyKind": "attribution.models.RelatedParty.Kind",
        "RelatedPartyState": "attribution.models.RelatedParty.State",
        "ShadowRunState": "attribution.models.ShadowRun.State",
    },
    "POSTPROCESSING_HOOKS": [
        "drf_spectacular.hooks.postprocess_schema_enums",
        "server.openapi.add_problem_answers",
    ],
}

# Work in the background ------------------------------------------------------------------------

CELERY_BROKER_URL = env_text("BROKER_URL", "memory://" if EMBEDDED else None)
CELERY_TASK_IGNORE_RESULT = True
CELERY_TASK_ACKS_LATE = True
CELERY_TASK_REJECT_ON_WORKER_LOST = True
CELERY_TASK_TIME_LIMIT = 600
CELERY_WORKER_PREFETCH_MULTIPLIER = 1
CELERY_BROKER_CONNECTION_RETRY_ON_STARTUP = True
CELERY_BROKER_CONNECTION_MAX_RETRIES = None
CELERY_TIMEZONE = "UTC"
# In memory: a ring too many does no harm, and a file half written by a killed timetable would.
CELERY_BEAT_SCHEDULER = "celery.beat:Scheduler"
# Without the restore options a killed worker's message waits for ten sweeps of ten seconds.
CELERY_BROKER_TRANSPORT_OPTIONS = (
    {"visibility_timeout": 900, "unacked_restore_interval": 2, "unacked_restore_throttle": 1}
    if CELERY_BROKER_URL.startswith(("redis", "valkey"))
    else {}
)
# Ringing a bell must never delay or fail a request when the broker is away.
CELERY_TASK_PUBLISH_RETRY = False

LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {
        "line": {
            "format": "{asctime} {levelname} {name} {message}",
            "style": "{",
        }
    },
    "handlers": {"console": {"class": "logging.StreamHandler", "formatter": "line"}},
    "root": {"handlers": ["console"], "level": env_text("LOG_LEVEL", "INFO")},
    "loggers": {"django.server": {"level": "WARNING"}},
}
