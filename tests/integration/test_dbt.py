"""What a dbt run that fails is taken for, and how often a process reads the project."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from dataclasses import replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Any

import psycopg2
import pytest

from quarterday import dbt, parsed
from quarterday.dbt import DbtFailed, NodeResult, run_dbt
from quarterday.settings import Settings, database_url
from tests.conftest import PROJECT, database_named, session_settings
from tests.path_support import rows_of

LOST = """select pg_terminate_backend(pid, 5000) as has_ended from pg_stat_activity
where application_name = 'quarterday dbt lock' and datname = current_database()"""


@pytest.mark.parametrize("is_away,raised", [(False, DbtFailed), (True, psycopg2.OperationalError)])
def test_a_run_whose_server_went_away_is_worth_another_try_and_any_other_is_not(
    is_away: bool, raised: type[Exception], settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(command: list[str], manifest: object) -> tuple[bool, None, list[NodeResult]]:
        if is_away:
            assert rows_of(LOST, settings, "owner") == [{"has_ended": True}]
        return False, None, []

    monkeypatch.setattr(dbt, "_invoke", fail)
    with pytest.raises(raised):
        run_dbt(("build",), settings)


def test_a_process_reads_the_project_once_for_all_databases_and_again_when_a_file_changed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    project, target = small_project(tmp_path / "dbt_project"), tmp_path / "target"
    read: list[str] = []
    parse = parsed._parse
    monkeypatch.setattr(parsed, "_parse", counted(parse, read))
    found = [relations(project, target, database, tmp_path) for database in ("one", "one", "other")]
    assert read == ["one"]
    assert found[0] == found[1]
    assert found[2] == {name.replace('"one"', '"other"') for name in found[0] or ()} != found[0]
    (project / "models" / "mart_new.sql").write_text("select 1 as one")
    assert relations(project, target, "other", tmp_path) is None, "dbt reads what has changed, by its own notes"
    assert (relations(project, target, "other", tmp_path) or set()) - found[2] == {'"other"."core"."mart_new"'}
    assert read == ["one", "other"]


def test_a_first_run_goes_on_from_the_notes_on_the_disk(tmp_path: Path) -> None:
    (tmp_path / parsed.NOTES).touch()
    assert parsed.parsed_project(tmp_path, tmp_path, "one", []) is None


def small_project(project: Path) -> Path:
    """Make a project of a source and a view over it, with our profile; ours takes ten seconds to read."""
    (project / "models").mkdir(parents=True)
    shutil.copy(PROJECT / "dbt_project" / "profiles.yml", project)
    (project / "dbt_project.yml").write_text("name: small\nversion: '1.0'\nconfig-version: 2\nprofile: quarterday\n")
    sources = "sources: [{name: ledger, tables: [{name: load}]}]\n"
    (project / "models" / "models.yml").write_text(sources)
    (project / "models" / "loads.sql").write_text("select load_id from {{ source('ledger', 'load') }}")
    return project


def counted(parse: Callable[..., object], read: list[str]) -> Callable[..., object]:
    """Return the same function, which notes for which database it read the project."""

    def parse_and_note(files: parsed.Files, database: str, places: list[str]) -> object:
        read.append(database)
        return parse(files, database, places)

    return parse_and_note


def relations(project: Path, target: Path, database: str, home: Path) -> set[str] | None:
    """Return the names of all relations as dbt is given them; None where it reads the project itself."""
    settings = replace(session_settings(), home=home, server_url=database_named(database), project=project.parent)
    places = dbt.places_of(settings.dbt_project, target, home / "logs")
    with dbt.dbt_environment(database_url(settings, "builder"), target) as name:
        manifest = parsed.parsed_project(project, target, name, places)
    if manifest is None:
        return None
    nodes = [*manifest.nodes.values(), *manifest.sources.values()]
    return {node.relation_name for node in nodes if node.relation_name}


@pytest.mark.long
def test_what_dbt_did_is_told_to_the_collector_that_is_named(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    told: list[dict[str, Any]] = []

    class Collector(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            told.append(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))
            self.send_response(200)
            self.end_headers()

        def log_message(self, *_: object) -> None:
            return None

    collector = ThreadingHTTPServer(("127.0.0.1", 0), Collector)
    Thread(target=collector.serve_forever, daemon=True).start()
    monkeypatch.setenv("QUARTERDAY_OPENLINEAGE_URL", f"http://127.0.0.1:{collector.server_port}")
    run_dbt(("run", "--select", "dim_period", "--no-write-json"), settings)
    collector.shutdown()
    name = f"{str(settings.server_url).rpartition('/')[2]}.core.quarterday.dim_period"
    assert [(event["eventType"], event["job"]["name"]) for event in told] == [("START", name), ("COMPLETE", name)]
