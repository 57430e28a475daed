"""Settings, all of them from the environment (or from files: NAME_FILE), with safe defaults.

`make run` writes `var/env`, which is read first, so that `manage.py` works in a shell too.
"""

from pathlib import Path

import environ
from django.core.exceptions import ImproperlyConfigured

BASE_DIR = Path(__file__).resolve().parent.parent
env = environ.FileAwareEnv()
VAR_DIR = Path(env("VAR_DIR", default=str(BASE_DIR / "var")))
environ.Env.read_env(str(VAR_DIR / "env"))

SECRET_KEY = env("SECRET_KEY")
# Fernet keys, newest first, separated by commas: what stored mail passwords are sealed with.
CREDENTIAL_KEYS = env.list("CREDENTIAL_KEYS")
DEBUG = env.bool("DEBUG", default=False)
ALLOWED_HOSTS = env.list("ALLOWED_HOSTS", default=["127.0.0.1", "localhost"])
# Plain HTTP, for this machine itself only: cookies lose Secure and the __Host- prefix.
INSECURE_HTTP = env.bool("INSECURE_HTTP", default=False)
# Proxies in front that set X-Forwarded-For and X-Forwarded-Proto.
TRUSTED_PROXIES = env.int("TRUSTED_PROXIES", default=0)

# ---- What the deployment allows
BRAND = env("BRAND", default="Webmail")
OPEN_SIGN_IN = env.bool("OPEN_SIGN_IN", default=True)
# Log-ins at one mail server, all processes together (security §3): more looks like an attack to many.
LOGINS_PER_SECOND = env.int("LOGINS_PER_SECOND", default=5)
# Octets of unread messages' texts that workers read ahead into the body cache, for each account and day; 0 for none.
PREFETCH_BYTES = env.int("PREFETCH_BYTES", default=16 * 2**20)
# Octets of mail files that wait to be imported: of one person, and of all.
IMPORT_BYTES_PER_PERSON = env.int("IMPORT_BYTES_PER_PERSON", default=2**30)
IMPORT_BYTES = env.int("IMPORT_BYTES", default=10 * 2**30)
BODY_CACHE_SECONDS = env.int("BODY_CACHE_SECONDS", default=7 * 24 * 3600)

# ---- Parts
INSTALLED_APPS = [
    "webmail.apps.WebmailConfig",
    "django.contrib.admin",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "axes",
]
MIDDLEWARE = [
    "webmail.requests.WakeAfterAnswerMiddleware",
    "django.middleware.security.SecurityMiddleware",
    "webmail.headers.HeadersMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "webmail.accounts.middleware.SameSiteCsrfMiddleware",
    "webmail.accounts.middleware.UserMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django_htmx.middleware.HtmxMiddleware",
    "webmail.accounts.middleware.PersonMiddleware",
    "axes.middleware.AxesMiddleware",
    "webmail.failures.FailuresMiddleware",
]
ROOT_URLCONF = "webmail.urls"
WSGI_APPLICATION = "webmail.wsgi.application"
ASGI_APPLICATION = "webmail.asgi.application"
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
                "webmail.context.every_page",
            ]
        },
    }
]

# ---- Database: PostgreSQL in production; SQLite for one machine
DATABASES = {"default": env.db("DATABASE_URL", default=f"sqlite:///{VAR_DIR / 'db.sqlite3'}")}
_database = DATABASES["default"]
if _database["ENGINE"].endswith("sqlite3"):
    # Several processes write: WAL, take the write lock at BEGIN, wait for it (design §6).
    _database["OPTIONS"] = {
        "transaction_mode": "IMMEDIATE",
        "timeout": 20,
        "init_command": "PRAGMA journal_mode=WAL; PRAGMA synchronous=NORMAL; PRAGMA busy_timeout=20000;",
    }
    _database["CONN_MAX_AGE"] = None
elif _database["ENGINE"].endswith("postgresql"):
    _database["ENGINE"] = "webmail.postgresql"
    _database["CONN_MAX_AGE"] = 60
    _database["CONN_HEALTH_CHECKS"] = True
else:
    raise ImproperlyConfigured("DATABASE_URL must name a PostgreSQL or SQLite database.")
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

# ---- Redis: wake-ups, presence, caches. May be flushed at any moment.
REDIS_URL = env("REDIS_URL", default=f"unix://{VAR_DIR / 'redis.sock'}")
CELERY_BROKER_URL = REDIS_URL.replace("unix://", "redis+socket://", 1)
CELERY_TASK_IGNORE_RESULT = True
CELERY_ACCEPT_CONTENT = ["json"]
CELERY_TASK_SERIALIZER = "json"
# Threads: tasks wait for servers, and one process needs one pool of connections for each account.
CELERY_WORKER_POOL = "threads"
CELERY_WORKER_CONCURRENCY = env.int("WORKER_CONCURRENCY", default=8)
CELERY_TASK_ACKS_LATE = True
CELERY_TASK_REJECT_ON_WORKER_LOST = True
CELERY_WORKER_PREFETCH_MULTIPLIER = 1
CELERY_TASK_DEFAULT_QUEUE = "sync"
CELERY_BROKER_CONNECTION_RETRY_ON_STARTUP = True
CELERY_BROKER_TRANSPORT_OPTIONS = {"socket_timeout": 10, "socket_connect_timeout": 5, "visibility_timeout": 120}
CELERY_TASK_PUBLISH_RETRY = False
CELERY_BEAT_SCHEDULER = "webmail.clock:Clock"
CELERY_BEAT_SCHEDULE = {
    "sweep-jobs": {"task": "webmail.tasks.sweep_jobs", "schedule": 5.0, "options": {"expires": 5}},
    "sweep-outbox": {"task": "webmail.tasks.sweep_outbox", "schedule": 5.0, "options": {"expires": 5}},
    "sweep-drafts": {"task": "webmail.tasks.sweep_drafts", "schedule": 5.0, "options": {"expires": 5}},
    "keep-up": {"task": "webmail.tasks.keep_up", "schedule": 5.0, "options": {"expires": 5}},
    "delete-unlinked": {"task": "webmail.tasks.delete_unlinked", "schedule": 60.0, "options": {"expires": 60}},
    "look-at-due": {"task": "webmail.tasks.look_at_due", "schedule": 5.0, "options": {"expires": 5}},
    "clear-sessions": {"task": "webmail.tasks.clear_sessions", "schedule": 3600.0},
    "forget-uploads": {"task": "webmail.tasks.forget_uploads", "schedule": 600.0, "options": {"expires": 600}},
    "forget-people": {"task": "webmail.tasks.forget_people", "schedule": 24 * 3600.0},
    "forget-jobs": {"task": "webmail.tasks.forget_jobs", "schedule": 24 * 3600.0},
}
CELERY_WORKER_HIJACK_ROOT_LOGGER = False

# ---- Who is who
AUTH_USER_MODEL = "webmail.User"
AUTHENTICATION_BACKENDS = [
    "axes.backends.AxesStandaloneBackend",
    "django.contrib.auth.backends.ModelBackend",
    "webmail.accounts.backends.MailBackend",
]
PASSWORD_HASHERS = [
    "webmail.accounts.hashers.Argon2idHasher",
    "django.contrib.auth.hashers.PBKDF2PasswordHasher",
]
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": "django.contrib.auth.password_validation.UserAttributeSimilarityValidator"},
    {"NAME": "django.contrib.auth.password_validation.MinimumLengthValidator", "OPTIONS": {"min_length": 12}},
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
]
# django-axes asks our handler, which holds all the limits.
AXES_HANDLER = "webmail.accounts.limits.Handler"
AXES_CLIENT_IP_CALLABLE = "webmail.accounts.clients.address_of"
AXES_VERBOSE = False
LOGIN_URL = "sign-in"
LOGIN_REDIRECT_URL = "home"
SESSION_ENGINE = "webmail.models.session"
SESSION_COOKIE_NAME = "session" if INSECURE_HTTP else "__Host-session"
SESSION_COOKIE_SECURE = not INSECURE_HTTP
SESSION_COOKIE_AGE = 24 * 3600  # idle; PersonMiddleware ends any session after SESSION_LIFE_SECONDS
SESSION_LIFE_SECONDS = 30 * 24 * 3600
CSRF_USE_SESSIONS = True
CSRF_FAILURE_VIEW = "webmail.failures.csrf_failure"

# ---- Transport
SECURE_SSL_REDIRECT = False  # the proxy does it
SECURE_HSTS_SECONDS = 0 if INSECURE_HTTP else 2 * 365 * 24 * 3600
SECURE_HSTS_INCLUDE_SUBDOMAINS = True
SECURE_CONTENT_TYPE_NOSNIFF = True
SECURE_REFERRER_POLICY = "same-origin"
SECURE_CROSS_ORIGIN_OPENER_POLICY = "same-origin"
if TRUSTED_PROXIES:
    SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")
CSRF_TRUSTED_ORIGINS = env.list("CSRF_TRUSTED_ORIGINS", default=[])
DATA_UPLOAD_MAX_MEMORY_SIZE = 2**21
DATA_UPLOAD_MAX_NUMBER_FIELDS = 2000
FILE_UPLOAD_HANDLERS = [
    "django.core.files.uploadhandler.MemoryFileUploadHandler",
    "webmail.spooling.SealedUploadHandler",
]

# ---- Words and times
LANGUAGE_CODE = "en-gb"
TIME_ZONE = "UTC"
USE_TZ = True
USE_I18N = False

# ---- Static files: ours, and an exact list from npm
STATIC_URL = "/static/"
STATIC_ROOT = Path(env("STATIC_ROOT", default=str(BASE_DIR / "staticfiles")))
STATICFILES_DIRS = [BASE_DIR / "static"]
STATICFILES_FINDERS = [
    "django.contrib.staticfiles.finders.FileSystemFinder",
    "django.contrib.staticfiles.finders.AppDirectoriesFinder",
    "webmail.npm.NpmFinder",
    "webmail.icons.IconFinder",
    "webmail.sheets.SheetFinder",
]
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {"BACKEND": "webmail.staticfiles.Storage"},
}
WHITENOISE_MAX_AGE = 300

LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {"line": {"format": "%(asctime)s %(levelname)s %(name)s %(message)s"}},
    "handlers": {"stderr": {"class": "logging.StreamHandler", "formatter": "line"}},
    "root": {"handlers": ["stderr"], "level": env("LOG_LEVEL", default="INFO")},
    "loggers": {
        # IMAPClient logs command lines, with what is in them, at DEBUG: never here (security §5.3).
        "imapclient": {"level": "WARNING"},
        "django.server": {"level": "WARNING"},
    },
}
