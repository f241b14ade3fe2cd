"""Every runbook that is named is there, says what it must, and its commands are commands."""

from __future__ import annotations

import ast
import re
import shlex
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psycopg2
import pytest

from quarterday import runbooks
from quarterday.errors import OperatorError
from quarterday.operating.states import STATES

PROJECT = Path(__file__).parents[2]
RUNBOOKS = PROJECT / "docs" / "runbooks"
PAGES = sorted(path.stem for path in RUNBOOKS.glob("*.md") if path.stem != "README")
SOURCES = sorted([*(PROJECT / "src").rglob("*.py"), *(PROJECT / "dags").glob("*.py")])
DOCUMENTS = [PROJECT / "README.md", *RUNBOOKS.glob("*.md"), *(PROJECT / "docs/how-to").glob("*.md")]
PARTS = ("**What it means.**", "**How to see it.**", "**What to do.**", "**How to know it is mended.**")
ANCHOR = re.compile(r"\]\((?!https?://|mailto:)([^)#]*)#([^)]+)\)")
INLINE = re.compile(r"`(?:\.venv/bin/)?quarterday ([a-z][^`]*)`")
IN_BLOCK = re.compile(r"^(?:\.venv/bin/)?quarterday ([a-z].*?)(?:\s+#.*)?$", re.MULTILINE)
# What stands in a document for what an operator puts there.
MEANT = {
    "LOAD": "12",
    "RELEASE": "12",
    "FILE": __file__,
    "FROM": "2015-16-Q1",
    "TO": "2017-18-Q4",
    "QUARTER": "2017-18-Q3",
}


def headings(document: Path) -> set[str]:
    """A document's headings as links name them."""
    found = re.findall(r"^#+ (.+)$", document.read_text(), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in found}


def commands_in(document: Path) -> list[str]:
    text = document.read_text()
    blocks = re.findall(r"```sh\n(.*?)```", text, re.DOTALL)
    outside = re.sub(r"```.*?```", "", text, flags=re.DOTALL)
    return [*INLINE.findall(outside), *(line for block in blocks for line in IN_BLOCK.findall(block))]


def test_every_page_is_in_the_list_and_says_what_it_must() -> None:
    listed = set(re.findall(r"\]\(([\w-]+)\.md\)", (RUNBOOKS / "README.md").read_text()))
    failures = set(PAGES) - {path.stem for path in (PROJECT / "dags").glob("*.py")}
    assert failures <= listed <= set(PAGES)
    for page in failures:
        text = (RUNBOOKS / f"{page}.md").read_text()
        assert [part for part in PARTS if part not in text] == [], page


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: str(path.relative_to(PROJECT)))
def test_every_heading_that_a_link_names_is_there(document: Path) -> None:
    for target, heading in ANCHOR.findall(document.read_text()):
        assert heading in headings((document.parent / target) if target else document), f"{target}#{heading}"


def test_every_runbook_that_the_code_names_is_there() -> None:
    named = set(runbooks.BY_ERROR.values()) | {runbooks.FAULT}
    for path in SOURCES:
        text = path.read_text()
        if path.name != "runbooks.py":  # the one place that knows where they are
            assert not re.search(r"docs/runbooks/[\w{-]", text), path
        for name, heading in re.findall(r"runbooks\.link\(['\"]([\w-]+)(?:#([\w-]+))?['\"]\)", text):
            named.add(name)
            assert not heading or heading in headings(RUNBOOKS / f"{name}.md")
    assert {"inbox__fetch", "inbox__sweep"} <= named
    named |= {state.runbook for state in STATES.values()}
    assert named - set(PAGES) == set()


def classes() -> Iterator[tuple[str, list[str]]]:
    for path in SOURCES:
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.ClassDef):
                yield node.name, [base.id for base in node.bases if isinstance(base, ast.Name)]


def test_every_error_of_ours_has_a_runbook() -> None:
    bases = dict(classes())

    def line_of(name: str) -> list[str]:
        return [name, *(above for base in bases.get(name, []) for above in line_of(base))]

    ours = {name: line_of(name) for name in bases if "QuarterdayError" in line_of(name)[1:]}
    without = {name for name, line in ours.items() if not set(line) & {*runbooks.BY_ERROR, "ReturnRejected"}}
    assert "DbtFailed" in ours and without == set()
    unknown = {name for name in runbooks.BY_ERROR if name not in bases and not hasattr(psycopg2, name)}
    assert {name for name in unknown if not hasattr(psycopg2.errors, name)} == set()


@pytest.mark.parametrize(
    ("error", "page"),
    [
        (OSError(28, "No space left on device"), "disk-full"),
        (psycopg2.errors.LockNotAvailable("held"), "lock-timeout"),
        (psycopg2.OperationalError("away"), "database-away"),
        (OperatorError("no"), "settings-are-wrong"),
        (ValueError("no"), "fault-of-ours"),
    ],
    ids=lambda one: one if isinstance(one, str) else type(one).__name__,
)
def test_an_error_leads_to_its_runbook(error: Exception, page: str, monkeypatch: pytest.MonkeyPatch) -> None:
    assert runbooks.advice(error).endswith(f"What to do: docs/runbooks/{page}.md")
    monkeypatch.setenv("QUARTERDAY_RUNBOOKS", "https://wiki.example/runbooks/")
    assert runbooks.link(f"{page}#top") == f"https://wiki.example/runbooks/{page}.md#top"


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: str(path.relative_to(PROJECT)))
def test_every_command_of_a_document_is_one(document: Path) -> None:
    assert [told for command in commands_in(document) if (told := fault_of(command))] == []


def test_a_wrong_command_would_be_seen() -> None:
    assert "quarterday status" in [f"quarterday {command}" for command in commands_in(RUNBOOKS / "task-killed.md")]
    for wrong in ("stauts", "status --al", "withdraw-load LOAD", "rerun FORM", "withdraw-load twelve --reason x"):
        assert fault_of(wrong) is not None, wrong


def fault_of(command: str) -> str | None:
    """Say what is wrong with a command; one that stands there by its name alone is only looked up."""
    from typer.main import get_command

    from quarterday.cli import app

    group: Any = get_command(app)
    name, *words = shlex.split(command.partition(" > ")[0])
    if name not in group.commands:
        return f"{command}: there is no command {name}"
    if words:
        try:
            group.commands[name].make_context(name, [MEANT.get(word, word) for word in words])
        except SystemExit:
            pass  # --help
        except Exception as error:
            return f"{command}: {type(error).__name__}: {error}"
    return None
