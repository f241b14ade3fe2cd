"""The command's work: plan a blank form, ask for the last figures, write the workbook, tell."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from pathlib import Path

from rich.console import Console

from quarterday.blanks.earlier import earlier_figures
from quarterday.blanks.guide import due_day, shown_day
from quarterday.blanks.plan import Blank, plan_blank
from quarterday.blanks.workbook import write_blank
from quarterday.calendar import FinancialQuarter
from quarterday.contracts import load_forms
from quarterday.errors import OperatorError
from quarterday.settings import Settings


@dataclass(frozen=True)
class Template:
    """A workbook that was written, and what is to be said of it."""

    blank: Blank
    path: Path
    due: date | None
    earlier: str


def make_template(form: str, quarter: str, partner: str | None, output: Path | None, settings: Settings) -> Template:
    """Write the blank workbook of a form for a partner and quarter.

    Args:
        form: The form's code.
        quarter: The reporting quarter in any usual wording; any quarter of its year for a form that is yearly.
        partner: Needed where several partners send the form.
        output: A folder or a file; the folder where the command runs if it isn't given.
        settings: Whose project and warehouse.

    Raises:
        OperatorError: Form, quarter or partner is unknown, or the file is there already. Nothing was written.
    """
    forms = load_forms(settings.returns)
    if form not in forms:
        raise OperatorError(f"There is no form '{form}'. The forms are {', '.join(forms)}.")
    try:
        asked = FinancialQuarter.parse(quarter)
    except ValueError:
        raise OperatorError(f"'{quarter}' is no financial quarter; write it as 2017-18-Q3.") from None
    blank = plan_blank(forms[form], asked, partner, settings)
    path = _path(output, blank)
    earlier = earlier_figures(blank, settings)
    write_blank(blank, earlier, path)
    return Template(blank, path, due_day(blank), earlier.note)


def show(template: Template) -> None:
    """Print where the workbook stands, when it is due, and whether earlier figures are in it."""
    console = Console(soft_wrap=True, highlight=False)
    blank = template.blank
    due = shown_day(template.due) if template.due else "no day is agreed"
    lines = [
        f"Written  {template.path}",
        f"For      {blank.partner}, {blank.form.name}, {blank.quarter.label} (edition {blank.edition})",
        f"Due      {due}",
        f"Earlier  {template.earlier}",
        f"To try   quarterday check {_quoted(template.path)} --partner {blank.partner}",
    ]
    if template.path.name != blank.file_name:
        lines.append(f"Name     the partner must send it as '{blank.file_name}', by which the form is known.")
    for line in lines:
        console.print(line, markup=False)


def _path(output: Path | None, blank: Blank) -> Path:
    path = output or Path()
    if path.is_dir() or path.suffix.lower() != ".xlsx":
        path = path / blank.file_name
    if path.exists():
        raise OperatorError(f"{path} is there already, so nothing was written. Take it away, or name another --output.")
    path.parent.mkdir(parents=True, exist_ok=True)
    return path.absolute()


def _quoted(path: Path) -> str:
    return f'"{path}"' if " " in str(path) else str(path)
