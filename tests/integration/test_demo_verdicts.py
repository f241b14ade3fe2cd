"""A demonstration return that is only checked gets the verdict, and fails the checks, that demo/expected.csv lists."""

from __future__ import annotations

import csv
import os
from pathlib import Path

from quarterday.loading import check_file
from quarterday.settings import Settings

DEMO = Path(__file__).parents[2] / "demo"
# All of them are judged where they are taken in (test_demo_path.py); the small size checks every fourth alone.
EACH = 1 if os.environ.get("QUARTERDAY_LONG_TESTS") else 4


def test_each_return_is_judged_as_listed(settings: Settings) -> None:
    expected, judged = {}, {}
    listed_returns = list(csv.DictReader((DEMO / "expected.csv").open(encoding="utf-8", newline="")))
    for row in listed_returns[::-EACH]:
        path = DEMO / "returns" / row["partner_code"] / row["file"]
        verdict, _ = check_file(path, row["partner_code"], settings)
        # A copy is known by its bytes when it is registered; judged alone it is as good as the file it copies.
        listed = "admitted" if row["expected_verdict"] == "known" else row["expected_verdict"]
        expected[row["file"]] = (listed, row["failed_checks"].split())
        judged[row["file"]] = (verdict.verdict, sorted(verdict.failed))
    assert judged == expected
