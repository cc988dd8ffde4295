"""All settings, from the environment (docs/configuration.md). Defaults run a clone on one machine."""

import os
from pathlib import Path
from typing import Any

import environ
from csp.constants import NONE, SELF, UNSAFE_EVAL, UNSAFE_INLINE
from django.templatetags.static import static

from config import sandbox
from messaging.email_url import read_email_url

BASE_DIR = Path(__file__).resolve().parent.parent

env = environ.Env()
env.read_env(env.str("ENV_FILE", default=str(BASE_DIR / ".env")))
env.ENVIRON = {name: value for name, value in env.ENVIRON.items() if value}  # an empty variable means its default
SANDBOX = env.bool("SANDBOX", default=False)  # a second installation beside the live one: docs/sandbox.md
if SANDBOX:
    _ours = env.str("SANDBOX_DATABASE_URL", default=""), env.str("SANDBOX_PUBLIC_BASE_URL", default="")
    env.ENVIRON = sandbox.environment(env.ENVIRON, BASE_DIR, env.int("SANDBOX_PORT", default=0), *_ours)
VAR_DIR = Path(env.str("VAR_DIR", default=str(BASE_DIR / "var"))).resolve()
VAR_DIR.mkdir(parents=True, exist_ok=True)
SANDBOX_CLOCK = sandbox.install_clock(VAR_DIR) if SANDBOX else None

DEBUG = env.bool("DEBUG", default=False)
HOST = env.str("HOST", default="127.0.0.1")
PORT = env.int("PORT", default=8000)
PUBLIC_BASE_URL = env.str("PUBLIC_BASE_URL", default=f"http://127.0.0.1:{PORT}").rstrip("/")
SECURE = PUBLIC_BASE_URL.startswith("https://")
WEB_WORKERS = env.int("WEB_WORKERS", default=1)
WEB_THREADS = env.int("WEB_THREADS", default=8)


def _secret_key() -> str:
    """Return SECRET_KEY, or a random one kept in var/ for installations on one machine."""
    given: str = env.str("SECRET_KEY", default="")
    if given:
        return given
    file = VAR_DIR / "secret_key"
    if not file.exists():
        from django.core.management.utils import get_random_secret_key  # noqa: PLC0415 - first start only

        with file.open("x", encoding="ascii") as handle:
            handle.write(get_random_secret_key())
        file.chmod(0o600)
    return file.read_text(encoding="ascii")


SECRET_KEY = _secret_key()
SECRET_KEY_FALLBACKS = env.list("SECRET_KEY_FALLBACKS", default=[])
ALLOWED_HOSTS = env.list(
    "ALLOWED_HOSTS", default=[environ.urlparse(PUBLIC_BASE_URL).hostname, "127.0.0.1", "localhost"]
)
CSRF_TRUSTED_ORIGINS = env.list("CSRF_TRUSTED_ORIGINS", default=[PUBLIC_BASE_URL])

# The company
BRAND_NAME = env.str("BRAND_NAME", default="Goodword")
BRAND_ACCENT = env.str("BRAND_ACCENT", default="#0b6b53")
BRAND_LOGO = env.str("BRAND_LOGO", default="")  # an address, or a file under static/
BRAND_SUPPORT_EMAIL = env.str("BRAND_SUPPORT_EMAIL", default="")
VISITOR_COOKIE = env.bool("VISITOR_COOKIE", default=True)  # a random first-party id of who opened a share link
GREETING_PREVIEWS = env.bool("GREETING_PREVIEWS", default=False)  # what apps show of a link before it is sent
TIME_ZONE = env.str("TIME_ZONE", default="UTC")
POINT_VALUE = env.str("POINT_VALUE", default="")  # what a point is worth, such as "0.01 EUR"
USE_TZ = True
LANGUAGE_CODE = "en"
USE_I18N = True
FORMAT_MODULE_PATH = "config.formats"
LANGUAGES = [("en", "English"), ("de", "Deutsch")]
LOCALE_PATHS = [BASE_DIR / "locale"]

# Applications
INSTALLED_APPS = [
    "unfold",
    "django.contrib.admin",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "whitenoise.runserver_nostatic",
    "django.contrib.staticfiles",
    "django.contrib.humanize",
    "allauth",
    "allauth.account",
    "allauth.mfa",
    "rest_framework",
    "rest_framework_api_key",
    "drf_spectacular",
    "drf_spectacular_sidecar",
    "anymail",
    "csp",
    "corsheaders",
    "core",
    "accounts",
    "messaging",
    "referrals",
    "rewards",
    "surveys",
    "analytics",
]
AUTH_USER_MODEL = "accounts.User"
SUBSCRIPTIONS = "config.subscriptions.SUBSCRIPTIONS"
SCHEDULE = "config.schedule.SCHEDULE"
DUE = "config.due.DUE"
PERSONAL_DATA = "config.personal_data.PERSONAL_DATA"
MAIL_GATES = "config.mail_gates.MAIL_GATES"
CHANGE_KINDS = "config.change_kinds.CHANGE_KINDS"
SEGMENT_FIELDS = "config.segments.SEGMENT_FIELDS"
SEGMENT_USERS = "config.segments.SEGMENT_USERS"
PROGRAM_WARNINGS = "config.program_warnings.PROGRAM_WARNINGS"
ROOT_URLCONF = "config.urls"
WSGI_APPLICATION = "config.wsgi.application"
MIDDLEWARE = [
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "corsheaders.middleware.CorsMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.locale.LocaleMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "allauth.account.middleware.AccountMiddleware",
    "csp.middleware.CSPMiddleware",
    "core.middleware.PathPolicies",
    "core.api.middleware.ApiBoundary",
]
TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [BASE_DIR / "templates"],
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
                "core.context.brand",
            ],
        },
    },
]

# Database
DATABASE_URL = env.str("DATABASE_URL", default=f"sqlite:///{VAR_DIR / 'goodword.sqlite3'}")
DATABASE_OWNER_URL = env.str("DATABASE_OWNER_URL", default="")
DATABASES = {"default": env.db_url_config(DATABASE_URL)}
if DATABASES["default"]["ENGINE"] == "django.db.backends.sqlite3":
    DATABASES["default"]["OPTIONS"] = {
        "timeout": 20,
        "transaction_mode": "IMMEDIATE",
        "init_command": "PRAGMA journal_mode=WAL; PRAGMA synchronous=NORMAL; PRAGMA foreign_keys=ON;",
    }
else:
    DATABASES["default"]["CONN_MAX_AGE"] = 60
    DATABASES["default"]["CONN_HEALTH_CHECKS"] = True
if DATABASE_OWNER_URL:
    DATABASES["owner"] = {
        **DATABASES["default"],
        **env.db_url_config(DATABASE_OWNER_URL),
        "TEST": {"MIRROR": "default"},
    }
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

# Worker
REDIS_URL = env.str("REDIS_URL", default="")
QUEUE_DIR = VAR_DIR / "queue"
CELERY_BROKER_URL = REDIS_URL or "filesystem://localhost//"
REDIS_TRANSPORT_OPTIONS = {
    "socket_connect_timeout": 0.5,
    "socket_timeout": 5,
    "visibility_timeout": 3600,
    "max_retries": 0,  # or a doorbell without a broker would hold a request for seconds
}
if REDIS_URL:
    CELERY_BROKER_TRANSPORT_OPTIONS: dict[str, Any] = REDIS_TRANSPORT_OPTIONS
else:
    for folder in ("messages", "control"):
        (QUEUE_DIR / folder).mkdir(parents=True, exist_ok=True)
    CELERY_BROKER_TRANSPORT_OPTIONS = {
        "data_folder_in": str(QUEUE_DIR / "messages"),
        "data_folder_out": str(QUEUE_DIR / "messages"),
        "control_folder": str(QUEUE_DIR / "control"),
        "polling_interval": 0.5,
    }
CELERY_WORKER_POOL = "prefork" if REDIS_URL else "threads"
CELERY_WORKER_CONCURRENCY = env.int("WORKER_CONCURRENCY", default=2)
CELERY_TASK_IGNORE_RESULT = True
CELERY_TASK_ACKS_LATE = True
CELERY_TASK_REJECT_ON_WORKER_LOST = True
CELERY_WORKER_PREFETCH_MULTIPLIER = 1
CELERY_BROKER_CONNECTION_RETRY_ON_STARTUP = True
CELERY_TIMEZONE = "UTC"
CELERY_BEAT_SCHEDULE_FILENAME = str(VAR_DIR / "beat-schedule")

CACHES = {
    # Rate limits of signing in live in the database, so that they hold while Redis is away.
    "default": {"BACKEND": "django.core.cache.backends.db.DatabaseCache", "LOCATION": "cache"},
    # Counters of the API throttle: shared where Redis is, else per process, so that no request waits for a disk.
    "throttle": {
        "BACKEND": "django.core.cache.backends.redis.RedisCache",
        "LOCATION": REDIS_URL,
        "OPTIONS": {"socket_connect_timeout": 0.3, "socket_timeout": 0.3},
    }
    if REDIS_URL
    else {"BACKEND": "django.core.cache.backends.locmem.LocMemCache", "LOCATION": "throttle"},
}

# Signing in
AUTHENTICATION_BACKENDS = [
    "django.contrib.auth.backends.ModelBackend",
    "allauth.account.auth_backends.AuthenticationBackend",
]
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": f"django.contrib.auth.password_validation.{name}"}
    for name in ("UserAttributeSimilarityValidator", "MinimumLengthValidator", "CommonPasswordValidator")
]
LOGIN_URL = "/accounts/login/"
LOGIN_REDIRECT_URL = "/"
KNOWN_EMAIL = "referrals.queries.people.is_known_email"
TRUSTED_PROXY_COUNT = env.int("TRUSTED_PROXY_COUNT", default=0)
ALLAUTH_TRUSTED_PROXY_COUNT = TRUSTED_PROXY_COUNT
ACCOUNT_ADAPTER = "messaging.adapters.AccountAdapter"
ACCOUNT_FORMS = {"request_login_code": "accounts.forms.CodeRequestForm"}
ACCOUNT_USER_MODEL_USERNAME_FIELD = None
ACCOUNT_LOGIN_METHODS = {"email"}
ACCOUNT_SIGNUP_FIELDS = ["email*", "password1*"]  # nobody signs up; without it staff get no password field
ACCOUNT_EMAIL_SUBJECT_PREFIX = ""
ACCOUNT_LOGIN_BY_CODE_ENABLED = True
ACCOUNT_LOGIN_BY_CODE_TIMEOUT = 15 * 60
ACCOUNT_LOGIN_BY_CODE_MAX_ATTEMPTS = 5
ACCOUNT_LOGIN_BY_CODE_SUPPORTS_RESEND = True
# A code proves the address at every sign-in; staff, made by an administrator, need no second proof.
ACCOUNT_EMAIL_VERIFICATION = "none"
ACCOUNT_LOGOUT_ON_PASSWORD_CHANGE = True
ACCOUNT_DEFAULT_HTTP_PROTOCOL = "https" if SECURE else "http"
MFA_SUPPORTED_TYPES = ["totp", "webauthn", "recovery_codes"]
MFA_PASSKEY_LOGIN_ENABLED = True
MFA_TOTP_ISSUER = BRAND_NAME
MFA_WEBAUTHN_ALLOW_INSECURE_ORIGIN = not SECURE  # browsers still demand localhost then

# Log
LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {"line": {"format": "%(asctime)s %(levelname)s %(name)s: %(message)s"}},
    "handlers": {"console": {"class": "logging.StreamHandler", "formatter": "line"}},
    "root": {"handlers": ["console"], "level": env.str("LOG_LEVEL", default="INFO").upper()},
    "loggers": {
        "django": {"handlers": [], "propagate": True},
        # A line for each of the sweeps would drown the rest.
        "celery.beat": {"level": "WARNING"},
        "celery.worker.strategy": {"level": "WARNING"},
        "celery.app.trace": {"level": "WARNING"},
    },
}
CELERY_WORKER_HIJACK_ROOT_LOGGER = False

# Mail
EMAIL_URL = env.str("EMAIL_URL", default="") or f"file://{VAR_DIR / 'mails'}"
_MAIL = read_email_url(EMAIL_URL)
EMAIL_BACKEND = _MAIL.backend
EMAIL_FILE_PATH = _MAIL.folder
EMAIL_HOST = _MAIL.host
EMAIL_PORT = _MAIL.port
EMAIL_HOST_USER = _MAIL.user
EMAIL_HOST_PASSWORD = _MAIL.password
EMAIL_USE_TLS = _MAIL.use_tls
EMAIL_USE_SSL = _MAIL.use_ssl
EMAIL_TIMEOUT = env.int("EMAIL_TIMEOUT", default=20)  # seconds
# A provider's further settings: ANYMAIL_MAILGUN_API_URL=… is ANYMAIL["MAILGUN_API_URL"].
ANYMAIL = _MAIL.anymail | {
    name.removeprefix("ANYMAIL_"): value for name, value in os.environ.items() if name.startswith("ANYMAIL_")
}
EMAIL_TEMPLATES = BASE_DIR / "templates" / "emails"
DEFAULT_FROM_EMAIL = env.str("DEFAULT_FROM_EMAIL", default=f"{BRAND_NAME} <hello@goodword.example>")
BRAND_ADDRESS = env.str("BRAND_ADDRESS", default="")  # the company's postal address, at the foot of every mail
MAIL_PAGE = env.bool("MAIL_PAGE", default=True) and bool(_MAIL.folder)  # /mails/, for mails that go to a folder
MESSAGE_RETENTION_DAYS = env.int("MESSAGE_RETENTION_DAYS", default=90)  # how long the wording of sent mails is kept

# Decisions
SECOND_PERSON_ABOVE_POINTS = env.int("SECOND_PERSON_ABOVE_POINTS", default=None)  # larger credits by hand take two
SECOND_PERSON_FOR_PROGRAMS = env.bool("SECOND_PERSON_FOR_PROGRAMS", default=False)

# API
API_KEY_MODEL = "accounts.ApiKey"
API_REQUESTS_PER_MINUTE = env.int("API_REQUESTS_PER_MINUTE", default=12_000)
REST_FRAMEWORK = {
    "DEFAULT_AUTHENTICATION_CLASSES": ["core.api.authentication.ApiKeyAuthentication"],
    "DEFAULT_PERMISSION_CLASSES": ["core.api.permissions.ScopeByMethod"],
    "DEFAULT_THROTTLE_CLASSES": ["core.api.throttles.PerKeyThrottle"],
    "DEFAULT_RENDERER_CLASSES": ["rest_framework.renderers.JSONRenderer"],
    "DEFAULT_PARSER_CLASSES": ["core.api.parsers.BoundedJSONParser"],
    "DEFAULT_CONTENT_NEGOTIATION_CLASS": "core.api.negotiation.JSONAlways",
    "DEFAULT_SCHEMA_CLASS": "core.api.schema.Schema",
    "EXCEPTION_HANDLER": "core.api.problems.handle_exception",
    "URL_FORMAT_OVERRIDE": None,
}
SPECTACULAR_SETTINGS = {
    "TITLE": "Goodword API",
    "VERSION": "1",
    "OAS_VERSION": "3.1.1",
    "SERVE_INCLUDE_SCHEMA": False,
    "SERVE_AUTHENTICATION": [],
    "SERVE_PERMISSIONS": ["rest_framework.permissions.AllowAny"],
    "SCHEMA_PATH_PREFIX": "/api/v1",
    "SWAGGER_UI_DIST": "SIDECAR",
    "SWAGGER_UI_FAVICON_HREF": "SIDECAR",
    "ENUM_NAME_OVERRIDES": {
        "ReferralState": "referrals.models.Referral.State",
        "RewardState": "rewards.models.Reward.State",
        "RedemptionState": "rewards.models.Redemption.State",
        "ItemKind": "rewards.models.CatalogueItem.Kind",
        "InvitationState": "surveys.models.Invitation.State",
    },
    "POSTPROCESSING_HOOKS": [
        "drf_spectacular.hooks.postprocess_schema_enums",
        "core.api.schema.add_problems",
    ],
}

# Admin
UNFOLD = {
    "SITE_TITLE": BRAND_NAME,
    "SITE_HEADER": BRAND_NAME,
    "SITE_SUBHEADER": "Referrals, rewards and surveys",
    "SITE_SYMBOL": "campaign",
    "SITE_FAVICONS": [{"rel": "icon", "type": "image/svg+xml", "href": lambda request: static("img/favicon.svg")}],
    "COLORS": {
        "primary": {
            "50": "#eff8f4",
            "100": "#d8eee4",
            "200": "#b3ddca",
            "300": "#84c5aa",
            "400": "#4fa685",
            "500": "#2b8767",
            "600": "#0c6b4f",
            "700": "#0a5a43",
            "800": "#0a4837",
            "900": "#083b2e",
            "950": "#04221a",
        },
    },
    "SHOW_VIEW_ON_SITE": True,
    "SIDEBAR": {"show_search": True, "show_all_applications": False, "navigation": "config.admin_menu.navigation"},
}

# Static files
STATIC_URL = "/static/"
STATICFILES_DIRS = [BASE_DIR / "static"]
WHITENOISE_USE_FINDERS = True

# Headers
CONTENT_SECURITY_POLICY = {
    "DIRECTIVES": {
        "default-src": [SELF],
        "img-src": [SELF, "data:"],
        "object-src": [NONE],
        "base-uri": [NONE],
        "frame-ancestors": [NONE],
        "form-action": [SELF],
    },
}
# What single areas need beyond the policy above, by the start of the path.
CONTENT_SECURITY_POLICY_BY_PATH = {
    "/admin/": {"script-src": [SELF, UNSAFE_EVAL, UNSAFE_INLINE], "style-src": [SELF, UNSAFE_INLINE]},
    "/api/docs/": {"style-src": [SELF, UNSAFE_INLINE]},
}
SECURE_REFERRER_POLICY = "strict-origin-when-cross-origin"
SECURE_SSL_REDIRECT = SECURE
SECURE_HSTS_SECONDS = env.int("SECURE_HSTS_SECONDS", default=31_536_000 if SECURE else 0)
SECURE_REDIRECT_EXEMPT = [r"^healthz$", r"^readyz$"]
SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https") if SECURE else None
SESSION_COOKIE_SECURE = SECURE
CSRF_COOKIE_SECURE = SECURE
SESSION_COOKIE_SAMESITE = "Lax"
X_FRAME_OPTIONS = "DENY"

# Pages of the origins that publishable keys name may ask what the widget needs (accounts/apps.py)
CORS_URLS_REGEX = r"^/api/v1/(widget|clicks|views|shares|claims)$"
CORS_ALLOW_HEADERS = ["authorization", "content-type", "idempotency-key", "x-goodword-identity"]
CORS_ALLOW_METHODS = ["DELETE", "GET", "POST", "OPTIONS"]
CORS_ALLOW_CREDENTIALS = True  # for the cookie that a widget on the shop's own domain may set

# Going out
WEBHOOKS_ALLOW_PRIVATE_IPS = env.bool("WEBHOOKS_ALLOW_PRIVATE_IPS", default=False)

# The shop's veto: asked, where an address is set, before a referral's rewards are released
VETO_URL = env.str("VETO_URL", default="")
VETO_SECRET = env.str("VETO_SECRET", default="")  # whsec_ and 24 to 64 bytes in base64
# Payouts
PAYOUT_MINIMUM = env.str("PAYOUT_MINIMUM", default="20.00")

if SANDBOX:
    globals().update(sandbox.overrides(MIDDLEWARE))
