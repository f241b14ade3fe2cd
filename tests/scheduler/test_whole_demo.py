"""``quarterday demo`` as a newcomer runs it: every verdict as expected, twice, and nothing left running."""

from __future__ import annotations

import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from quarterday import services
from quarterday.settings import load_settings
from tests.path_support import expected_returns

pytestmark = [pytest.mark.scheduler, pytest.mark.long]
PATIENCE_SECONDS = 1800


def run_demo(home: Path) -> subprocess.CompletedProcess[str]:
    named_elsewhere = {f"QUARTERDAY_{name}" for name in ("DATABASE_URL", "INBOX", "ARCHIVE", "RECEIPTS", "SECRETS")}
    named_elsewhere |= {"QUARTERDAY_SIGN_OFF_RULES"}  # by the shipped rules one return waits for a sign-off
    environment = {name: value for name, value in os.environ.items() if name not in named_elsewhere}
    return subprocess.run(
        [sys.executable, "-m", "quarterday.cli", "demo"],
        env={**environment, "QUARTERDAY_HOME": str(home)},
        capture_output=True,
        text=True,
        timeout=PATIENCE_SECONDS,
    )


def test_the_demo_is_as_expected_each_time_and_leaves_nothing_running(tmp_path: Path) -> None:
    home = tmp_path / "home"
    settings = replace(load_settings(), home=home, server_url=None)
    count = len(expected_returns())
    try:
        signed_off = "the demo signs it off in Airflow, as approver"
        for remark in (signed_off, "loaded by an earlier run"):
            done = run_demo(home)
            assert done.returncode == 0, done.stdout + done.stderr
            assert f"{count} of {count} verdicts are as expected" in done.stdout
            assert remark in done.stdout
            assert not any(services.status(settings).values())
    finally:
        services.down(settings)
