"""What a container runs: ``prepare`` once, or one of Airflow's services in the foreground.

The settings are those of ``quarterday up``; a variable that the compose file sets counts before ours.
"""

from __future__ import annotations

import os
import sys

from quarterday import services
from quarterday.errors import OperatorError
from quarterday.settings import load_settings

SERVICES = {
    "scheduler": ("scheduler", "--skip-serve-logs"),
    "dag-processor": ("dag-processor",),
    "triggerer": ("triggerer", "--skip-serve-logs"),
    "api-server": ("api-server",),
}


def main(words: list[str]) -> int:
    """Run one service; return the exit code where it is not the service's own."""
    if len(words) != 1 or words[0] not in {"prepare", *SERVICES}:
        print(f"usage: serve.py prepare|{'|'.join(SERVICES)}", file=sys.stderr)
        return 2
    os.umask(services.UMASK)
    try:
        if words[0] == "prepare":
            services.prepare(load_settings())
            return 0
        os.execve(sys.executable, [sys.executable, "-m", "airflow", *SERVICES[words[0]]], environment())
    except OperatorError as error:
        print(error, file=sys.stderr)
        return 1


def environment() -> dict[str, str]:
    """Return Airflow's settings, with what the compose file sets counting first."""
    return {**services.airflow_environment(load_settings()), **os.environ}


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
