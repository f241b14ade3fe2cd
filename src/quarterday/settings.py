"""Where state lives and how to reach it: one folder, one database server, a few switches.

Every setting is an environment variable; nothing is read at import.

| variable | meaning | default |
| --- | --- | --- |
| QUARTERDAY_HOME | the one folder for all state | ``.quarterday`` in the project |
| QUARTERDAY_DATABASE_URL | a PostgreSQL 16+ server; its role may create roles and databases | the embedded server |
| QUARTERDAY_INBOX | where partners' files arrive, a folder per partner | ``inbox`` in the home |
| QUARTERDAY_ARCHIVE | where every file is kept by its hash | ``archive`` in the home |
| QUARTERDAY_RECEIPTS | where receipts for partners are written | ``receipts`` in the home |
| QUARTERDAY_SECRETS | a folder with one file per secret | ``secrets`` in the home |
| QUARTERDAY_SIGN_OFF_RULES | which restatements need whose approval | ``returns/sign_off_rules.csv`` |
| QUARTERDAY_CONNECTORS | where files are fetched from | ``returns/connectors.csv`` |
| QUARTERDAY_RUNBOOKS | the address below which the runbooks are read | ``docs/runbooks`` in the project |
| QUARTERDAY_BACKUPS | where backups of the warehouse are kept: best on another disk | ``backups`` in the home |
| QUARTERDAY_BACKUPS_KEPT | how many of them | 8 |
| QUARTERDAY_NOTICES | who is told of what | ``returns/notices.csv`` |
| QUARTERDAY_NOTIFY_MAIL | the mail server, as ``smtp://user:password@host:587`` | no mail is sent |
| QUARTERDAY_NOTIFY_FROM | the address that mails come from | ``quarterday@`` and the mail server's host |
| QUARTERDAY_NOTIFY_SLACK | the URL of a Slack webhook | nothing goes to Slack |
| QUARTERDAY_NOTIFY_WEBHOOK | any URL that takes a notice as JSON | no webhook is called |
| QUARTERDAY_OPENLINEAGE_URL | a collector for OpenLineage events of Airflow and dbt | none: nothing is sent |
| QUARTERDAY_STATSD | ``host:port`` of a StatsD server for Airflow's metrics and ours | none: nothing is sent |
| QUARTERDAY_JSON_LOGS | 1: every log line of every component is a JSON object | lines for people |
| QUARTERDAY_PROJECT | the folder with returns/, expectations/, dbt_project/, dags/ | the checkout |
"""

from __future__ import annotations

import contextlib
import os
import secrets as random_secrets
import tempfile
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote, urlsplit, urlunsplit

from quarterday.errors import OperatorError

ROLES = ("owner", "loader", "builder", "reader")


@dataclass(frozen=True)
class Settings:
    """The places of one installation. Make it with :func:`load_settings`."""

    project: Path
    home: Path
    inbox: Path
    archive: Path
    receipts: Path
    secrets: Path
    server_url: str | None
    named_rules: Path | None = None
    named_connectors: Path | None = None
    named_backups: Path | None = None
    backups_kept: int = 8
    named_notices: Path | None = None

    @property
    def returns(self) -> Path:
        """The forms, one folder each."""
        return self.project / "returns"

    @property
    def sign_off_rules(self) -> Path:
        """Which restatements need whose approval."""
        return self.named_rules or self.returns / "sign_off_rules.csv"

    @property
    def backups(self) -> Path:
        """Where backups of the warehouse are kept."""
        return self.named_backups or self.home / "backups"

    @property
    def connectors(self) -> Path:
        """Where files are fetched from."""
        return self.named_connectors or self.returns / "connectors.csv"

    @property
    def notices(self) -> Path:
        """Who is told of what, and by which channel."""
        return self.named_notices or self.returns / "notices.csv"

    @property
    def expectations(self) -> Path:
        """What a form's contract can't say, one file per form."""
        return self.project / "expectations"

    @property
    def dbt_project(self) -> Path:
        """The dbt project."""
        return self.project / "dbt_project"


def load_settings() -> Settings:
    """Read the settings from the environment."""
    project = Path(os.environ.get("QUARTERDAY_PROJECT") or Path(__file__).parents[2]).resolve()
    home = _folder("QUARTERDAY_HOME", project / ".quarterday")
    return Settings(
        project=project,
        home=home,
        inbox=_folder("QUARTERDAY_INBOX", home / "inbox"),
        archive=_folder("QUARTERDAY_ARCHIVE", home / "archive"),
        receipts=_folder("QUARTERDAY_RECEIPTS", home / "receipts"),
        secrets=_folder("QUARTERDAY_SECRETS", home / "secrets"),
        server_url=os.environ.get("QUARTERDAY_DATABASE_URL"),
        named_rules=_file("QUARTERDAY_SIGN_OFF_RULES"),
        named_connectors=_file("QUARTERDAY_CONNECTORS"),
        named_backups=_file("QUARTERDAY_BACKUPS"),
        backups_kept=_number("QUARTERDAY_BACKUPS_KEPT", Settings.backups_kept),
        named_notices=_file("QUARTERDAY_NOTICES"),
    )


def secret(settings: Settings, name: str) -> str:
    """Return a secret, making it at first use in a file that its owner alone can read.

    Raises:
        OperatorError: The file is there but empty.
    """
    path = settings.secrets / name
    if not path.exists():
        _write_secret(path, random_secrets.token_hex(32))
    value = path.read_text().strip()
    if not value:
        raise OperatorError(
            f"The secret file {path} is empty. Delete it to have a new one made, or write the secret into it."
        )
    return value


def new_secret(settings: Settings, name: str) -> str:
    """Make a secret anew and return it; whoever is cut off leaves the old one or the new."""
    value = random_secrets.token_hex(32)
    _write_secret(settings.secrets / name, value, replaces=True)
    return value


def notify_variables() -> dict[str, str]:
    """Return the settings of the channels by which notices are sent, as they stand in the environment."""
    names = ("MAIL", "FROM", "SLACK", "WEBHOOK")
    found = {f"QUARTERDAY_NOTIFY_{name}": os.environ.get(f"QUARTERDAY_NOTIFY_{name}", "") for name in names}
    return {name: value for name, value in found.items() if value}


def database_url(settings: Settings, role: str) -> str:
    """Return the warehouse's URL (``postgresql://``) for a role of :data:`ROLES`.

    The embedded server writes its address to ``server.url`` in the home when it starts.

    Raises:
        OperatorError: No server is named and none has been started.
    """
    base = urlsplit(server_address(settings))
    if role == "owner":
        return urlunsplit(base)
    host = base.netloc.rpartition("@")[2]
    user = f"quarterday_{role}:{quote(secret(settings, f'{role}_password'))}"
    return urlunsplit(base._replace(netloc=f"{user}@{host}"))


def server_address(settings: Settings) -> str:
    """Return the owner's URL of the warehouse database.

    Raises:
        OperatorError: No server is named and none has been started.
    """
    if settings.server_url:
        return _with_password(settings.server_url, settings)
    path = settings.home / "server.url"
    if not path.exists():
        raise OperatorError(
            "No database: run 'quarterday up', or name a PostgreSQL 16+ server in QUARTERDAY_DATABASE_URL."
        )
    return path.read_text().strip()


def _with_password(url: str, settings: Settings) -> str:
    """Add the owner's password from the secrets folder to a URL that names a user and no password."""
    parts = urlsplit(url)
    kept = settings.secrets / "owner_password"
    if parts.password or not parts.username or not kept.exists():
        return url
    login = f"{parts.username}:{quote(secret(settings, 'owner_password'))}"
    return urlunsplit(parts._replace(netloc=f"{login}@{parts.netloc.rpartition('@')[2]}"))


def _file(variable: str) -> Path | None:
    named = os.environ.get(variable)
    return Path(named).resolve() if named else None


def _number(variable: str, default: int) -> int:
    named = os.environ.get(variable) or str(default)
    if not named.isdecimal() or int(named) < 1:
        raise OperatorError(f"{variable} is {named!r}: expected a whole number from 1 on.")
    return int(named)


def _folder(variable: str, default: Path) -> Path:
    return Path(os.environ.get(variable) or default).expanduser().absolute()


def _write_secret(path: Path, value: str, replaces: bool = False) -> None:
    """Write a secret in one step: whoever is cut off leaves none, and nobody reads half of one."""
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    descriptor, draft = tempfile.mkstemp(prefix=f".{path.name}.", dir=path.parent)  # readable by its owner alone
    try:
        with os.fdopen(descriptor, "w") as file:
            file.write(value)
            file.flush()
            os.fsync(file.fileno())
        if replaces:
            Path(draft).rename(path)
            return
        with contextlib.suppress(FileExistsError):  # another process was first; its secret counts
            path.hardlink_to(draft)
    finally:
        Path(draft).unlink(missing_ok=True)
