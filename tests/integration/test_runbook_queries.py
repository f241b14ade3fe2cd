"""The queries of the runbooks are queries of the warehouse as it is."""

from __future__ import annotations

import re
from pathlib import Path

from quarterday.settings import Settings
from quarterday.warehouse import connect

RUNBOOKS = Path(__file__).parents[2] / "docs" / "runbooks"


def test_every_query_of_a_runbook_can_be_asked(settings: Settings) -> None:
    asked = 0
    with connect(settings, "owner") as connection, connection.cursor() as cursor:
        for page in sorted(RUNBOOKS.glob("*.md")):
            for statement in re.findall(r"```sql\n(.*?)```", page.read_text(), re.DOTALL):
                cursor.execute(f"explain {statement}")
                asked += 1
    assert asked >= 5
