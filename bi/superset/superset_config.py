"""Superset's settings here: on loopback, with its secrets in files, and asking nothing of the outside.

quarterday.superset.running says in the environment where things are; the rest stands in the import bundle.
"""

import os
from pathlib import Path

HOME = Path(os.environ["QUARTERDAY_SUPERSET_HOME"])

SECRET_KEY = Path(os.environ["QUARTERDAY_SUPERSET_SECRET_KEY_FILE"]).read_text().strip()
# What Superset itself knows: dashboards, users, who looked at what. Figures are in the warehouse alone.
SQLALCHEMY_DATABASE_URI = f"sqlite:///{HOME / 'superset.db'}"


def reader_password(url: object) -> str:
    """Return the password of the login that reads the warehouse, as it is now. None is kept in Superset."""
    return Path(os.environ["QUARTERDAY_SUPERSET_PASSWORD_FILE"]).read_text().strip()


SQLALCHEMY_CUSTOM_PASSWORD_STORE = reader_password

# Without TLS on loopback a browser would send no cookie that is marked for TLS.
SESSION_COOKIE_SECURE = False
TALISMAN_CONFIG = {
    "force_https": False,
    "session_cookie_secure": False,
    "content_security_policy": {
        "base-uri": ["'self'"],
        "default-src": ["'self'"],
        "img-src": ["'self'", "blob:", "data:"],
        "worker-src": ["'self'", "blob:"],
        "connect-src": ["'self'"],
        "object-src": "'none'",
        "style-src": ["'self'", "'unsafe-inline'"],
        "script-src": ["'self'", "'strict-dynamic'"],
    },
    "content_security_policy_nonce_in": ["script-src"],
}
# Figures change only with a release, and a dashboard is to show the newest: nothing is kept.
CACHE_CONFIG = {"CACHE_TYPE": "NullCache"}
DATA_CACHE_CONFIG = {"CACHE_TYPE": "NullCache"}
ROW_LIMIT = 10000
