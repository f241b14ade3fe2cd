"""What the documents promise is there: links, commands, runbooks; and nothing of the machine it was made on."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

import pytest

PROJECT = Path(__file__).parents[2]
LINK = re.compile(r"\]\((?!https?://|mailto:|#)([^)#]+)(#[^)]*)?\)")
MACHINE = re.compile(
    r"(?<![\w./-])/(?:work|farm)/|/root/|/tmp/bash_jobs|pythonhosted|registry\.npmjs|pypi\.org|deb\.debian"
)


def tracked_files() -> list[Path]:
    """Every file under version control, or below the project where there is no checkout."""
    listed = subprocess.run(["git", "ls-files", "-z"], cwd=PROJECT, capture_output=True, text=True, check=True).stdout
    return [PROJECT / name for name in listed.split("\0") if name and (PROJECT / name).is_file()]


DOCUMENTS = [path for path in tracked_files() if path.suffix == ".md"]


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: str(path.relative_to(PROJECT)))
def test_every_link_leads_to_a_file(document: Path) -> None:
    targets = [target for target, _ in LINK.findall(document.read_text())]
    assert [target for target in targets if not (document.parent / target).exists()] == []


def test_every_command_of_the_readme_exists() -> None:
    readme = (PROJECT / "README.md").read_text()
    makefile = (PROJECT / "Makefile").read_text()
    targets = set(re.findall(r"`?make ([a-z-]+)", readme))
    assert {"demo", "test", "up", "down"} <= targets
    assert [target for target in targets if not re.search(rf"^{target}:", makefile, re.MULTILINE)] == []


def test_every_subcommand_of_the_readme_exists() -> None:
    from typer.main import get_command

    from quarterday.cli import app

    named = set(re.findall(r"quarterday (up|down|[a-z]+)(?= |`)", (PROJECT / "README.md").read_text()))
    assert {"status", "check", "load", "query"} <= named
    assert named - {"COMMAND"} <= set(get_command(app).commands)


def test_every_dag_has_its_runbook() -> None:
    missing = [
        path.stem
        for path in (PROJECT / "dags").glob("*.py")
        if not (PROJECT / "docs/runbooks" / f"{path.stem}.md").exists()
    ]
    assert missing == []


def test_every_decision_is_in_the_list_of_decisions() -> None:
    folder = PROJECT / "docs/decisions"
    listed = set(re.findall(r"\]\((\d{4}[^)]*\.md)\)", (folder / "README.md").read_text()))
    assert listed == {path.name for path in folder.glob("[0-9]*.md")}


def test_no_file_names_a_registry_or_a_folder_of_the_machine_it_was_made_on() -> None:
    found = []
    for path in tracked_files():
        if path.suffix in {".xlsx", ".ods", ".xls"} or path == Path(__file__):
            continue
        for number, line in enumerate(path.read_text(errors="replace").splitlines(), 1):
            if MACHINE.search(line):
                found.append(f"{path.relative_to(PROJECT)}:{number}: {line.strip()[:80]}")
    assert found == []


def test_no_file_that_a_machine_makes_is_kept() -> None:
    made = [
        path for path in tracked_files() if {"__pycache__", ".venv", ".quarterday", "target", "logs"} & set(path.parts)
    ]
    assert made == []
