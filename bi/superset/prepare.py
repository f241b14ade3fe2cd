"""Run by Superset's own Python once its database is up to it: makes the admin, and takes in the bundle.

    python prepare.py BUNDLE DATABASE_URL ADMIN_PASSWORD_FILE

The bundle's files are imported as they stand, but for the address of the warehouse. Safe to repeat.
"""

from __future__ import annotations

import sys
from pathlib import Path

import yaml
from superset.app import create_app

DATABASES = "databases/"


def contents_of(bundle: Path, url: str) -> dict[str, str]:
    """Return the files of the bundle by their place in it, with the warehouse's address in each database."""
    files = {str(path.relative_to(bundle)): path.read_text(encoding="utf-8") for path in bundle.rglob("*.yaml")}
    for name, text in files.items():
        if name.startswith(DATABASES):
            files[name] = yaml.safe_dump(yaml.safe_load(text) | {"sqlalchemy_uri": url})
    return files


def make_admin(password: str):
    """Return the user ``admin``, whose password is the one in the secrets folder."""
    from superset import security_manager

    admin = security_manager.find_user("admin")
    if admin is None:
        role = security_manager.find_role("Admin")
        return security_manager.add_user("admin", "Quarterday", "Admin", "admin@localhost", role, password=password)
    security_manager.reset_password(admin.id, password)
    return admin


def main(bundle: Path, url: str, password_file: Path) -> None:
    """Make the admin and import the bundle in the admin's name."""
    app = create_app()
    with app.app_context():
        from superset.commands.importers.v1.assets import ImportAssetsCommand
        from superset.utils.core import override_user

        admin = make_admin(password_file.read_text().strip())
        with override_user(admin):
            ImportAssetsCommand(contents_of(bundle, url)).run()


if __name__ == "__main__":
    main(Path(sys.argv[1]), sys.argv[2], Path(sys.argv[3]))
