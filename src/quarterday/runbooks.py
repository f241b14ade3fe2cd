"""Where the runbooks are: the one place from which errors, alerts and the board take their links."""

from __future__ import annotations

import errno
import os

DEFAULT_BASE = "docs/runbooks"
FAULT = "fault-of-ours"
# By the name of the error's class or of one that it is derived from, the nearest first.
BY_ERROR = {
    "ArchiveIsDamaged": "damaged-archive",
    "BackupFailed": "warehouse__maintain",
    "CheckCouldNotRun": "check-could-not-run",
    "ConnectorFailed": "connector-down",
    "ConnectorsAreWrong": "connector-down",
    "ContractRuleIsUnknown": "check-could-not-run",
    "DbtFailed": "dbt-failed",
    "DeadlockDetected": "lock-timeout",
    "DiskFull": "disk-full",
    "ExpectationsAreWrong": "check-could-not-run",
    "FactsDoNotAgree": "facts-do-not-agree",
    "FilesNotTaken": "inbox__sweep",
    "InterfaceError": "database-away",
    "LockNotAvailable": "lock-timeout",
    "NoticesNotSent": "mail-does-not-go",
    "NotTaken": "mail-does-not-go",
    "OperationalError": "database-away",
    "OperatorError": "settings-are-wrong",
    "RebuildDiffers": "damaged-archive",
    "RulesAreWrong": "sign-off-refused",
}


def link(name: str) -> str:
    """Return the link to a runbook.

    Args:
        name: The file in ``docs/runbooks`` without its ending, a DAG or a failure; ``#`` and a heading may follow.

    Returns:
        Below the address that ``QUARTERDAY_RUNBOOKS`` names, else the file's path in the project.
    """
    page, hash_sign, heading = name.partition("#")
    base = os.environ.get("QUARTERDAY_RUNBOOKS") or DEFAULT_BASE
    return f"{base.rstrip('/')}/{page}.md{hash_sign}{heading}"


def name_for(error: BaseException) -> str:
    """Return the name of the runbook that says what an error means."""
    if isinstance(error, OSError) and error.errno in (errno.ENOSPC, errno.EDQUOT):
        return "disk-full"
    known = (BY_ERROR[kind.__name__] for kind in type(error).__mro__ if kind.__name__ in BY_ERROR)
    return next(known, FAULT)


def advice(error: BaseException) -> str:
    """Return an error's class and words, and the link to its runbook unless the words hold it."""
    told = f"{type(error).__name__}: {error}"
    where = link(name_for(error))
    return told if where in told else f"{told}\nWhat to do: {where}"
