"""The product's settings in the tests' own environment: a temporary directory, throw-away keys, no `var/`.

The first process of a run names the directory and pytest-xdist's workers inherit the name; each has a subdirectory, its
own database, Redis and mail servers. `conftest.py` makes and removes it: type checkers only read these settings.
"""

import os
import secrets
import tempfile
from pathlib import Path

_root = os.environ.setdefault("WEBMAIL_TEST_DIR", f"{tempfile.gettempdir()}/webmail-tests-{secrets.token_hex(6)}")
WORKER_DIR = Path(_root) / os.environ.get("PYTEST_XDIST_WORKER", "main")

os.environ |= {
    "VAR_DIR": str(WORKER_DIR),
    "SECRET_KEY": "tests only: nothing is signed with this for anyone",
    "CREDENTIAL_KEYS": "dGVzdHMgb25seTogbm90IGEgc2VjcmV0IGtleSAwMDE=,dGVzdHMgb25seTogbm90IGEgc2VjcmV0IGtleSAwMDI=",
    "DATABASE_URL": os.environ.get("TEST_DATABASE_URL") or f"sqlite:///{WORKER_DIR / 'db.sqlite3'}",
    "REDIS_URL": f"unix://{WORKER_DIR / 'redis.sock'}",
    "ALLOWED_HOSTS": "testserver,127.0.0.1,localhost",
    "INSECURE_HTTP": "1",
    # Not the tree's: each client of a test reads the directory, and a collectstatic beside would pull it away.
    "STATIC_ROOT": str(WORKER_DIR / "static"),
    "LOG_LEVEL": "WARNING",
    # One server for hundreds of tests, each of them somebody else.
    "LOGINS_PER_SECOND": "1000",
}

# The environment above comes first; and a star, not a loop, because type checkers can read it.
from webmail import settings as product  # noqa: E402
from webmail.settings import *  # noqa: E402, F403

# A file, not memory: workers in processes of their own see the same rows.
if product.DATABASES["default"]["ENGINE"].endswith("sqlite3"):
    product.DATABASES["default"]["TEST"] = {"NAME": str(WORKER_DIR / "test.sqlite3")}
# Slow hashes are tested where they matter; the cast signs in by the hundred.
PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher", *product.PASSWORD_HASHERS]
# Hashed names need a collectstatic run, which tests of pages shouldn't.
STORAGES = product.STORAGES | {"staticfiles": {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"}}
