"""What is sent and to whom: nothing by default, and by one setting each the metrics, the lineage and the JSON."""

from __future__ import annotations

import json
import socket
from pathlib import Path

import pytest
from structlog.contextvars import get_contextvars

from quarterday.errors import OperatorError
from quarterday.recording.lineage import airflow_variables, tell_dbt_run, with_files
from quarterday.recording.watching import about, about_release, tell_verdict
from quarterday.services import _watching_variables

SETTINGS = ("QUARTERDAY_OPENLINEAGE_URL", "QUARTERDAY_STATSD", "QUARTERDAY_JSON_LOGS")


@pytest.fixture(autouse=True)
def nothing_is_set(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in SETTINGS:
        monkeypatch.delenv(name, raising=False)


def test_by_default_nothing_is_sent_whatever_the_shell_says(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENLINEAGE_URL", "http://collector.example")
    told = _watching_variables()
    assert told["AIRFLOW__OPENLINEAGE__DISABLED"] == "True"
    assert told["AIRFLOW__METRICS__STATSD_ON"] == told["AIRFLOW__LOGGING__JSON_LOGS"] == "False"
    assert tell_dbt_run(("build",), Path(), Path()) == 0
    assert with_files(("build", "--no-write-json")) == ["build", "--no-write-json"]


def test_one_setting_each_turns_them_on(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in zip(SETTINGS, ("http://127.0.0.1:5000", "metrics.example:8125", "1"), strict=True):
        monkeypatch.setenv(name, value)
    told = _watching_variables()
    assert json.loads(told["AIRFLOW__OPENLINEAGE__TRANSPORT"])["url"] == "http://127.0.0.1:5000"
    assert airflow_variables()["AIRFLOW__OPENLINEAGE__DISABLED"] == "False"
    assert (told["AIRFLOW__METRICS__STATSD_HOST"], told["AIRFLOW__METRICS__STATSD_PORT"]) == ("metrics.example", "8125")
    assert told["AIRFLOW__METRICS__STATSD_ON"] == told["AIRFLOW__LOGGING__JSON_LOGS"] == "True"
    assert with_files(("build", "--no-write-json")) == ["build"], "the library reads what dbt writes"


@pytest.mark.parametrize("wrong", ["8125", "host:", ":8125", "host:port"])
def test_a_statsd_address_that_is_none_is_refused(wrong: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("QUARTERDAY_STATSD", wrong)
    with pytest.raises(OperatorError, match="expected a host and a port"):
        _watching_variables()


def test_a_verdict_is_counted_by_its_name(monkeypatch: pytest.MonkeyPatch) -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as server:
        server.bind(("127.0.0.1", 0))
        server.settimeout(5)
        monkeypatch.setenv("QUARTERDAY_STATSD", f"127.0.0.1:{server.getsockname()[1]}")
        tell_verdict(7, "admitted_with_quarantine", 3)
        assert server.recv(1000) == b"quarterday.loads.admitted_with_quarantine:1|c"


def test_lines_of_a_block_carry_its_ids_and_no_others_do() -> None:
    @about_release
    def work(release_id: int, word: str) -> dict[str, object]:
        with about(load_id=7):
            return {"word": word, **get_contextvars()}

    before = get_contextvars()
    assert work(3, word="x") == {"word": "x", **before, "release_id": 3, "load_id": 7}
    assert get_contextvars() == before


def test_a_collector_that_is_away_fails_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setenv("QUARTERDAY_OPENLINEAGE_URL", "http://127.0.0.1:1")
    assert tell_dbt_run(("build",), tmp_path, tmp_path) == 0
    assert "OpenLineage events could not be sent" in caplog.text
