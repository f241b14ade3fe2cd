"""Read by each Python process of an installation under test: lets a real task note its steps, or wait at a point."""

import os

if os.environ.get("QUARTERDAY_FAULTS"):
    from tests.faults.waiting import install

    install()
