"""What a dbt run that fails is taken for."""

from __future__ import annotations

import psycopg2
import pytest

from quarterday import dbt
from quarterday.dbt import DbtFailed, NodeResult, run_dbt
from quarterday.settings import Settings
from tests.path_support import rows_of

LOST = """select pg_terminate_backend(pid, 5000) as has_ended from pg_stat_activity
where application_name = 'quarterday dbt lock' and datname = current_database()"""


@pytest.mark.parametrize("is_away,raised", [(False, DbtFailed), (True, psycopg2.OperationalError)])
def test_a_run_whose_server_went_away_is_worth_another_try_and_any_other_is_not(
    is_away: bool, raised: type[Exception], settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(command: list[str]) -> tuple[bool, None, list[NodeResult]]:
        if is_away:
            assert rows_of(LOST, settings, "owner") == [{"has_ended": True}]
        return False, None, []

    monkeypatch.setattr(dbt, "_invoke", fail)
    with pytest.raises(raised):
        run_dbt(("build",), settings)
