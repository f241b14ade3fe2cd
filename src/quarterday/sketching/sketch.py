"""The command's work: look at a sample, choose what isn't said, write the two files, tell."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

from quarterday.contracts import CONTRACT_FILE, FAMILIES, LAYOUT_FILE
from quarterday.errors import OperatorError
from quarterday.settings import Settings
from quarterday.sketching.columns import Column, columns_of
from quarterday.sketching.contracting import contract_text, default_name
from quarterday.sketching.drafting import Draft, layout_text
from quarterday.sketching.known import read_known
from quarterday.sketching.looking import Sample, look
from quarterday.sketching.roles import is_period_heading
from quarterday.sketching.telling import found, guessed, to_decide
from quarterday.sketching.texts import period_within

_NAME = re.compile(r"[a-z][a-z0-9_]{2,40}")


@dataclass(frozen=True)
class Sketch:
    """A form's folder as it was drafted, and what is to be said of it."""

    form: str
    folder: Path
    found: list[str]
    guessed: list[str]
    to_decide: list[str]


def sketch_form(
    file: Path, settings: Settings, name: str | None = None, partner: str | None = None, family: str | None = None
) -> Sketch:
    """Draft a form from a sample file and write its folder below ``returns/``.

    Args:
        file: A return as a partner sends it: xlsx, xls, ods or csv.
        settings: Whose project.
        name: The form's code; from the file's name where it isn't given.
        partner: The code of the partner that sends it; an open place where it isn't given.
        family: ``indicator`` or ``register``; guessed where it isn't given.

    Raises:
        OperatorError: The file has no table that can be read, the name or family is wrong, or the form's folder is
            there already. Nothing was written.
    """
    sample = look(file)
    within = period_within(file.stem)
    form = name or default_name(file.stem, within[1] if within else None)
    folder = _free_folder(form, settings)
    if partner and not _NAME.fullmatch(partner):
        raise OperatorError(f"--partner '{partner}': expected small letters, digits and '_', as citizens_advice.")
    if family not in (None, *FAMILIES):
        raise OperatorError(f"--family is one of {', '.join(FAMILIES)}, not '{family}'.")
    columns = columns_of(sample.table)
    draft = Draft(sample, form, family or _likely_family(sample, columns), partner, read_known(settings))
    texts = {folder / CONTRACT_FILE: contract_text(draft), folder / LAYOUT_FILE: layout_text(draft)}
    folder.mkdir(parents=True)
    for path, text in texts.items():
        with path.open("x", encoding="utf-8") as written:
            written.write(text)
    return Sketch(form, folder, found(draft), guessed(draft), to_decide(texts, draft))


def _free_folder(form: str, settings: Settings) -> Path:
    if not _NAME.fullmatch(form):
        raise OperatorError(
            f"'{form}' can't be a form's name: expected 3 to 40 small letters, digits and '_', a letter first. "
            "Nothing was written. Choose one with --name."
        )
    folder = settings.returns / form
    if folder.exists():
        raise OperatorError(
            f"{folder} is there already, so nothing was written. Choose another name with --name; to draft it anew, "
            "take the folder away; for a new layout of the same form, see docs/how-to/add-an-edition.md."
        )
    return folder


def _likely_family(sample: Sample, columns: list[Column]) -> str:
    """Figures by measure, area and period are an indicator form; things with several properties are a register."""
    if any(is_period_heading(column) for column in columns if column.is_numeric):
        return "indicator"
    numbers = [column for column in columns if column.is_numeric and not column.is_period]
    words = [column for column in columns if column.kind == "string" and not column.is_period]
    has_id = any(len(set(column.values)) == len(sample.table.lines) > 3 for column in words if " " not in column.name)
    if any(column.kind in ("date", "boolean") and len(column.distinct) > 3 for column in columns):
        return "register"
    if len(numbers) == 1 and len(words) <= 4:
        return "indicator"
    return (
        "indicator"
        if numbers and len(words) <= 2 and len(numbers) >= len(words) and (has_id or len(words) == 1)
        else "register"
    )
