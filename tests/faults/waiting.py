"""In a real task of Airflow's: notes the steps that it takes, or waits at a point until it is killed."""

from __future__ import annotations

import json
import os
import time
from pathlib import Path

from quarterday.settings import load_settings
from tests.faults.steps import Moment, Step, Watch
from tests.faults.worker import write_whole

FOLDER_VARIABLE = "QUARTERDAY_FAULTS"


def install() -> None:
    """Watch this process as the files in the folder say, from now on and in its children."""
    settings = load_settings()
    folder = Path(os.environ[FOLDER_VARIABLE])
    Watch([settings.inbox, settings.archive, settings.receipts, settings.home], _Waits(folder)).install(audit=False)


class _Waits:
    def __init__(self, folder: Path) -> None:
        self.notes, self.point, self.reached = folder / "notes", folder / "point", folder / "reached"

    def __call__(self, step: Step, moment: Moment) -> None:
        if self.notes.exists():
            with open(self.notes, "a") as file:  # noqa: PTH123
                file.write(f"{moment} {step.key}\n")
        try:
            wanted = self.point.read_text()
        except OSError:
            return
        if wanted != f"{moment} {step.key}":
            return
        self.point.unlink()
        write_whole(self.reached, json.dumps({"process": os.getpid()}))
        while True:
            time.sleep(1)
