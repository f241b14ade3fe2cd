"""What can go wrong, in three families.

A ``ReturnRejected`` is a result: the partner must send another return, and no task fails.
An ``OperatorError`` is for the person at the keyboard: a wrong command, a missing setting, a port in use.
Any other exception is our fault and fails the task.
"""

from __future__ import annotations

from dataclasses import dataclass, field

# Stands in a finding for what was written, where the contract says that it is about a person.
HIDDEN = "(not repeated: personal data)"


class QuarterdayError(Exception):
    """Base of every error that Quarterday raises on purpose."""


class OperatorError(QuarterdayError):
    """The command or the set-up is wrong; the message says what to do."""


@dataclass(frozen=True)
class Finding:
    """One thing that a partner must mend, addressed to where it stands in the partner's own file.

    ``check_id`` is quoted to partners (``VGW-004``); ``line`` is the sheet row or file line counted from 1;
    ``column`` is the heading as the partner wrote it. ``None`` means the whole return or the whole line.
    """

    check_id: str
    expected: str
    found: str | None
    remedy: str
    sheet: str | None = None
    line: int | None = None
    column: str | None = None
    action: str = "reject_return"


@dataclass
class ReturnRejected(QuarterdayError):
    """The return can't be read as its form; nothing of it was loaded."""

    file_name: str
    findings: list[Finding] = field(default_factory=list)

    def __str__(self) -> str:
        lines = [f"{type(self).__name__}: {self.file_name}: nothing was loaded."]
        lines += [describe_finding(finding) for finding in self.findings]
        return "\n".join(lines)


class ReturnDoesNotFitForm(ReturnRejected):
    """A sheet, header or column is missing or unknown."""


class ReturnIsUnreadable(ReturnRejected):
    """The file is not what its name says, or is damaged, encrypted or too large."""


class ReturnIsNotRecognised(ReturnRejected):
    """No form claims the file, or its quarter can't be told."""


def describe_finding(finding: Finding) -> str:
    """Return one line that says where, what was expected, what was found and what to do."""
    where = ", ".join(
        part
        for part in (
            finding.sheet and f"sheet '{finding.sheet}'",
            finding.line and f"line {finding.line}",
            finding.column and f"column '{finding.column}'",
        )
        if part
    )
    found = "nothing" if finding.found is None else f"'{finding.found}'"
    place = f"{where}: " if where else ""
    return f"  {finding.check_id} {place}expected {finding.expected}; found {found}. {finding.remedy}"
