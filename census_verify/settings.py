"""Settings, read from the environment. Fit for development as they stand; production sets
`DATABASE_URL`, `REDIS_URL`, `SECRET_KEY` and `ALLOWED_HOSTS` (README, "In production")."""

import sys
from pathlib import Path

from celery.schedules import crontab
from csp.constants import NONE, SELF
from django.core.exceptions import ImproperlyConfigured
from django.utils.translation import gettext_lazy as _
from environs import Env, EnvError

env = Env()

BASE_DIR = Path(__file__).resolve().parent.parent
VAR_DIR = Path(env.str("CENSUS_VERIFY_VAR", str(BASE_DIR / "var")))
EXPORT_DIR = VAR_DIR / "exports"
IMPORT_DIR = VAR_DIR / "imports"
SHEET_DIR = VAR_DIR / "sheets"
PROOF_DIR = VAR_DIR / "proofs"  # photos and scans of papers: facts, to be backed up with the database

DEBUG = env.bool("DEBUG", False)
# A day turns the training mode on: the clock stands on that day, demo accounts exist,
# and every page says so. Unset in production.
CENSUS_VERIFY_TODAY = env.date("CENSUS_VERIFY_TODAY", None)

try:
    SECRET_KEY = env.str("SECRET_KEY")
    DATABASES = {"default": env.dj_db_url("DATABASE_URL", conn_max_age=600, conn_health_checks=True)}
    REDIS_URL = env.str("REDIS_URL")
except EnvError as missing:
    raise ImproperlyConfigured(
        f"{missing}. Start the program with ./run, which sets it, or set it in the environment "
        "(see README.md, 'In production')."
    ) from None

ALLOWED_HOSTS = env.list("ALLOWED_HOSTS", ["localhost", "127.0.0.1", "[::1]"])
CSRF_TRUSTED_ORIGINS = env.list("CSRF_TRUSTED_ORIGINS", [])

INSTALLED_APPS = [
    "census_verify.apps.AdminConfig",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "django.contrib.humanize",
    "django.contrib.postgres",
    "axes",
    "csp",
    "django_htmx",
    "rest_framework",
    "drf_spectacular",
    "households",
    "verification",
    "reports",
]

MIDDLEWARE = [
    "csp.middleware.CSPMiddleware",
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "census_verify.middleware.HostileAddressMiddleware",
    "census_verify.middleware.NeverStoredMiddleware",
    # slow lines in the communes: a household's page shrinks to a fifth
    "django.middleware.gzip.GZipMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "census_verify.middleware.ChosenLanguageMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.auth.middleware.LoginRequiredMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "django_htmx.middleware.HtmxMiddleware",
    "axes.middleware.AxesMiddleware",
]

ROOT_URLCONF = "census_verify.urls"
WSGI_APPLICATION = "census_verify.wsgi.application"

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
                "households.context.scope",
                "verification.context.queue",
                "reports.context.bell",
            ],
        },
    },
]

# --- the database and the broker -------------------------------------------------------

DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
DATABASES["default"]["ENGINE"] = "census_verify.database"
DATABASES["default"].setdefault("OPTIONS", {}).update(connect_timeout=5, application_name="census_verify")

CACHES = {
    "default": {
        "BACKEND": "django.core.cache.backends.redis.RedisCache",
        "LOCATION": REDIS_URL,
        "OPTIONS": {"socket_connect_timeout": 1, "socket_timeout": 1},
    },
    # Parts of pages, kept in each process under a key that changes with the figures; 20 to 50 kB each.
    "pages": {"BACKEND": "django.core.cache.backends.locmem.LocMemCache", "OPTIONS": {"MAX_ENTRIES": 400}},
}

# kombu names a Unix socket otherwise than redis-py does.
CELERY_BROKER_URL = REDIS_URL.replace("unix://", "redis+socket://", 1)
# A message that is lost costs seconds, not figures (marks wait in the database), so a broker
# that is down must not hold up an officer's save.
CELERY_BROKER_TRANSPORT_OPTIONS = {"socket_connect_timeout": 1, "socket_timeout": 5, "max_retries": 1}
CELERY_BROKER_CONNECTION_RETRY_ON_STARTUP = True
CELERY_BROKER_CONNECTION_MAX_RETRIES = None
CELERY_TASK_PUBLISH_RETRY = False
CELERY_TASK_IGNORE_RESULT = True
CELERY_TASK_ACKS_LATE = True
CELERY_WORKER_PREFETCH_MULTIPLIER = 1
CELERY_WORKER_CANCEL_LONG_RUNNING_TASKS_ON_CONNECTION_LOSS = True
CELERY_TIMEZONE = "Asia/Ho_Chi_Minh"
# Each is dropped unread when it is older than its period: after an outage nothing piles up.
CELERY_BEAT_SCHEDULE = {
    "roll up what is marked": {
        "task": "reports.tasks.roll_up",
        "schedule": 2,
        "options": {"expires": 4},
    },
    "say that the worker lives": {
        "task": "reports.tasks.worker_seen",
        "schedule": 5,
        "options": {"expires": 10},
    },
    "take up exports whose worker died": {
        "task": "reports.tasks.resume_exports",
        "schedule": 10,
        "options": {"expires": 20},
    },
    "take up imports whose worker died": {
        "task": "verification.tasks.resume_imports",
        "schedule": 10,
        "options": {"expires": 20},
    },
    "take up printings whose worker died": {
        "task": "verification.tasks.resume_printings",
        "schedule": 10,
        "options": {"expires": 20},
    },
    # Late by a minute at most; what the machine was off for is made up.
    "run what is due by a schedule": {
        "task": "reports.tasks.run_schedules",
        "schedule": 30,
        "options": {"expires": 60},
    },
    "send e-mails of files": {
        "task": "reports.tasks.tell_of_exports",
        "schedule": 60,
        "options": {"expires": 120},
    },
    # Judges days that are over: what it finds changes at the cut-off, and by late entries and decisions.
    "tell what wants looking at": {
        "task": "reports.tasks.make_alerts",
        "schedule": crontab(minute="*/10"),
        "options": {"expires": 10 * 60},
    },
    "check the roll-ups": {
        "task": "reports.tasks.check_rollups",
        "schedule": crontab(hour=2, minute=15),
        "options": {"expires": 60 * 60},
    },
    "suspect faults over the whole register": {
        "task": "reports.tasks.sweep_faults",
        "schedule": crontab(hour=1, minute=15),
        "options": {"expires": 60 * 60},
    },
    "clear old printings": {
        "task": "verification.tasks.clear_printings",
        "schedule": crontab(hour=3, minute=20),
        "options": {"expires": 60 * 60},
    },
    "clear old exports": {
        "task": "reports.tasks.clear_exports",
        "schedule": crontab(hour=3, minute=15),
        "options": {"expires": 60 * 60},
    },
    "clear proofs that were never recorded": {
        "task": "verification.tasks.clear_proofs",
        "schedule": crontab(hour=3, minute=30),
        "options": {"expires": 60 * 60},
    },
}
# --- e-mail -----------------------------------------------------------------------------

# submission://user:password@host:587. Without it nothing is sent, and the program's own bell tells everything.
EMAIL_URL = env.dj_email_url("EMAIL_URL", "dummy:")
SENDS_MAIL = not EMAIL_URL["EMAIL_BACKEND"].endswith("dummy.EmailBackend")
EMAIL_BACKEND, EMAIL_HOST, EMAIL_PORT = (EMAIL_URL[f"EMAIL_{name}"] for name in ("BACKEND", "HOST", "PORT"))
EMAIL_HOST_USER, EMAIL_HOST_PASSWORD = EMAIL_URL["EMAIL_HOST_USER"], EMAIL_URL["EMAIL_HOST_PASSWORD"]
EMAIL_USE_TLS, EMAIL_USE_SSL, EMAIL_TIMEOUT = EMAIL_URL["EMAIL_USE_TLS"], EMAIL_URL["EMAIL_USE_SSL"], 10
DEFAULT_FROM_EMAIL = env.str("MAIL_FROM", "census_verify@localhost")
# Where officers reach the program, for links in e-mails.
CENSUS_VERIFY_ADDRESS = env.str("CENSUS_VERIFY_ADDRESS", "http://127.0.0.1:8000")

# A list or file of a million lines takes minutes; roll-ups must not stand behind it.
CELERY_TASK_ROUTES = {
    "reports.tasks.make_export": {"queue": "exports"},
    "verification.tasks.make_sheets": {"queue": "exports"},
    "verification.tasks.check_import": {"queue": "imports"},
    "verification.tasks.load_import": {"queue": "imports"},
}

# --- who may come in -------------------------------------------------------------------

AUTH_USER_MODEL = "households.User"
AUTHENTICATION_BACKENDS = [
    "axes.backends.AxesStandaloneBackend",
    "households.backends.OfficerBackend",
]
PASSWORD_HASHERS = [
    "census_verify.log_in.OneLaneArgon2",
    "django.contrib.auth.hashers.PBKDF2PasswordHasher",
]
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": "django.contrib.auth.password_validation.UserAttributeSimilarityValidator"},
    {"NAME": "django.contrib.auth.password_validation.MinimumLengthValidator", "OPTIONS": {"min_length": 10}},
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
    {"NAME": "django.contrib.auth.password_validation.NumericPasswordValidator"},
]
LOGIN_URL = "login"
LOGIN_REDIRECT_URL = "reports:home"
LOGOUT_REDIRECT_URL = "login"
SESSION_ENGINE = "census_verify.sessions"
SESSION_COOKIE_AGE = 10 * 60 * 60
SESSION_EXPIRE_AT_BROWSER_CLOSE = True
SESSION_COOKIE_HTTPONLY = True
# An office behind one address shares it, so a wrong password locks name and address together.
AXES_FAILURE_LIMIT = 8
AXES_COOLOFF_TIME = 0.25
AXES_LOCKOUT_PARAMETERS = [["username", "ip_address"]]
BEHIND_PROXY = env.bool("BEHIND_PROXY", False)
AXES_CLIENT_IP_CALLABLE = "census_verify.middleware.client_address"
AXES_LOCKOUT_TEMPLATE = "registration/locked_out.html"
AXES_RESET_ON_SUCCESS = True
AXES_DISABLE_ACCESS_LOG = True
AXES_VERBOSE = False

CONTENT_SECURITY_POLICY = {
    "DIRECTIVES": {
        "default-src": [NONE],
        "script-src": [SELF],
        "style-src": [SELF],
        "img-src": [SELF],
        "font-src": [SELF],
        "connect-src": [SELF],
        "form-action": [SELF],
        "frame-ancestors": [NONE],
        "base-uri": [NONE],
    }
}
HTTPS_ONLY = env.bool("HTTPS_ONLY", False)
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = SECURE_SSL_REDIRECT = HTTPS_ONLY
SECURE_HSTS_SECONDS = 365 * 24 * 60 * 60 if HTTPS_ONLY else 0
SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https") if HTTPS_ONLY else None
SECURE_REFERRER_POLICY = "same-origin"
X_FRAME_OPTIONS = "DENY"

# The largest form is a household of fifteen with corrections; 1 MB is far beyond it.
DATA_UPLOAD_MAX_MEMORY_SIZE = 1024 * 1024
# Files come in on the pages of imports and of proofs only, and go to the disk as they arrive.
FILE_UPLOAD_HANDLERS = ["census_verify.uploads.KnownPagesUploadHandler"]

REST_FRAMEWORK = {
    "DEFAULT_AUTHENTICATION_CLASSES": ["rest_framework.authentication.SessionAuthentication"],
    "DEFAULT_PERMISSION_CLASSES": ["households.permissions.IsPostedOfficer"],
    "DEFAULT_RENDERER_CLASSES": ["rest_framework.renderers.JSONRenderer"],
    "DEFAULT_PARSER_CLASSES": ["census_verify.api.ShallowJSONParser"],
    "DEFAULT_PAGINATION_CLASS": "rest_framework.pagination.CursorPagination",
    "PAGE_SIZE": 100,
    "DEFAULT_SCHEMA_CLASS": "drf_spectacular.openapi.AutoSchema",
    "EXCEPTION_HANDLER": "census_verify.api.exception_handler",
}
SPECTACULAR_SETTINGS = {
    "TITLE": "census_verify",
    "VERSION": "1",
    "SERVE_INCLUDE_SCHEMA": False,
    "SERVE_PERMISSIONS": ["households.permissions.IsPostedOfficer"],
}

# --- language, numbers, dates ----------------------------------------------------------

LANGUAGE_CODE = "vi"
LANGUAGES = [("vi", _("Vietnamese")), ("en", _("English"))]
LOCALE_PATHS = [BASE_DIR / "locale"]
FORMAT_MODULE_PATH = ["census_verify.formats"]
TIME_ZONE = "Asia/Ho_Chi_Minh"
USE_TZ = True

STATIC_URL = "static/"
STATIC_ROOT = VAR_DIR / "static"
STATICFILES_DIRS = [BASE_DIR / "static"]
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {
        "BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"
        if DEBUG or "pytest" in sys.modules
        else "whitenoise.storage.CompressedManifestStaticFilesStorage"
    },
}
WHITENOISE_USE_FINDERS = DEBUG or "pytest" in sys.modules

LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {"line": {"format": "%(asctime)s %(levelname)s %(name)s %(message)s"}},
    "handlers": {"console": {"class": "logging.StreamHandler", "formatter": "line"}},
    "root": {"handlers": ["console"], "level": env.str("LOG_LEVEL", "INFO")},
    "loggers": {"axes": {"level": "WARNING"}},
}
