"""Writes ``docs/checks.md``: every check on returns and releases, what follows from it, who mends it and how."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path

from quarterday.checking.checks import READER_STATEMENTS, Check, checks_of, over_limit_check
from quarterday.checking.facts import read_fact_checks
from quarterday.contracts import Form
from quarterday.settings import load_settings

HEAD = """# Every check

Made from the contracts in `returns/` and the files in `expectations/`; don't edit it, run
`python -m quarterday.checking.document`. A check's number is quoted to partners and keeps its meaning for ever.

| Action | What happens | Who mends it |
| --- | --- | --- |
| refuse the return | nothing is taken in; the partner gets a receipt and sends the return again | the partner |
| set the line aside | the line stays out of the figures; over the form's limit the return is refused | the partner |
| flag | the line is taken in and listed on the receipt | the partner looks; the office decides |

## Every form

Made by the reader, before a line is taken in. Each refuses the return; the receipt says what
was expected, where, and what to do. A file that no form claims gets QDY-001, others the prefix of the form.

| Check | What must be so |
| --- | --- |
"""
ACTIONS = {"reject_return": "refuse the return", "quarantine_line": "set the line aside", "flag": "flag"}


def write_checks_register(forms: Mapping[str, Form] | Iterable[Form], expectations_folder: Path | None = None) -> str:
    """Return the text of ``docs/checks.md``.

    Args:
        forms: Every form.
        expectations_folder: The project's by default.
    """
    folder = expectations_folder or load_settings().expectations
    every = forms.values() if isinstance(forms, Mapping) else forms
    sections = [_form_section(form, folder) for form in sorted(every, key=lambda form: form.name)]
    return "\n".join([HEAD + _reader_rows(), *sections, _facts_section(folder)])


def _reader_rows() -> str:
    return "".join(f"| ...-{number} | {_cell(statement)} |\n" for number, statement in READER_STATEMENTS.items())


def _form_section(form: Form, folder: Path) -> str:
    checks = sorted([*checks_of(form, folder), over_limit_check(form)], key=lambda check: check.check_id)
    rows = [_row(check) for check in checks]
    head = [
        "| Check | What must be so | If not | Severity | What the partner does |",
        "| --- | --- | --- | --- | --- |",
    ]
    return "\n".join([f"## {form.name}", "", form.contract.description, "", *head, *rows, ""])


def _row(check: Check) -> str:
    cells = (check.check_id, check.statement, ACTIONS[check.action], check.severity, check.remedy)
    return "| " + " | ".join(_cell(text) for text in cells) + " |"


def _facts_section(folder: Path) -> str:
    rows = [
        f"| {check.check_id} | {_cell(check.statement)} | {_cell(check.remedy)} |" for check in read_fact_checks(folder)
    ]
    head = ["| Check | What must be so | What we do |", "| --- | --- | --- |"]
    about = "Run on each release before it is published. One that fails stops the release; we mend it, not the partner."
    return "\n".join(["## Facts", "", about, "", *head, *rows, ""])


def _cell(text: str) -> str:
    return " ".join(text.split()).replace("|", "\\|")


def main() -> None:
    """Write ``docs/checks.md`` of the project."""
    from quarterday.contracts import load_forms

    settings = load_settings()
    path = settings.project / "docs" / "checks.md"
    path.write_text(write_checks_register(load_forms(settings.returns), settings.expectations), encoding="utf-8")


if __name__ == "__main__":
    main()
