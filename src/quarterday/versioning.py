"""Which code is running."""

from __future__ import annotations

import os
import subprocess
from importlib.metadata import version
from pathlib import Path


def code_version(project: Path | None = None) -> str:
    """Return the git commit of the checkout, or the package's version where there is no checkout.

    An image has no checkout: QUARTERDAY_CODE_VERSION, set when it is built, counts first.
    """
    built_from = os.environ.get("QUARTERDAY_CODE_VERSION", "")
    if built_from not in {"", "unknown"}:
        return built_from
    folder = project or Path(__file__).parents[2]
    command = ["git", "rev-parse", "HEAD"]
    try:
        asked = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=True, timeout=5)
    except (OSError, subprocess.SubprocessError):
        return version("quarterday")
    return asked.stdout.strip()
