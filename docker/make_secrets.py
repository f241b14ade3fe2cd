"""Writes the secrets of the compose file, a file each, into docker/secrets/; those that are there stay as they are.

Needs only Python. The folder is closed to everybody else on this machine; the files in it can be read by the
containers, whose user has another number than yours.
"""

from __future__ import annotations

import json
import secrets
from pathlib import Path

FOLDER = Path(__file__).parent / "secrets"
NAMES = (
    "owner_password",
    "loader_password",
    "builder_password",
    "reader_password",
    "airflow_password",
    "airflow_api_key",
    "airflow_jwt_secret",
    "airflow_fernet_key",
)
LOGINS = "airflow_logins.json"
USERS = ("admin", "operator", "approver", "viewer")


def make_secrets(folder: Path) -> list[str]:
    """Write the secrets that are missing; return their names."""
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    wanted = {name: secrets.token_hex(32) for name in NAMES}
    wanted[LOGINS] = json.dumps({user: secrets.token_urlsafe(18) for user in USERS})
    missing = {name: value for name, value in wanted.items() if not (folder / name).exists()}
    for name, value in missing.items():
        path = folder / name
        path.touch(mode=0o600)
        path.write_text(value)
        path.chmod(0o444)
    return sorted(missing)


if __name__ == "__main__":
    made = make_secrets(FOLDER)
    print(f"{FOLDER}: {', '.join(made) if made else 'nothing was missing'}")
