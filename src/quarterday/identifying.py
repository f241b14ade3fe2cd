"""Which form, partner, edition and quarter a file is, told by its inbox folder, its name and, where asked, a cell."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from functools import partial
from itertools import islice
from pathlib import Path

from quarterday.calendar import FinancialQuarter, Period, parse_date, parse_period
from quarterday.contracts import Form
from quarterday.errors import Finding, OperatorError, ReturnIsNotRecognised, ReturnIsUnreadable
from quarterday.layouts import Edition, Source
from quarterday.reading.files import Sheet, read_grid
from quarterday.reading.places import Found, search_sheet
from quarterday.wording import is_like

# A title, notes and a cell with the quarter stand near the top; a csv is not read further than this for them.
TOP_ROWS = 60


@dataclass(frozen=True)
class Identity:
    """What a file is. ``reporting_quarter`` is a key such as '2017-18-Q3', the quarter in which ``period`` ends.

    ``issued_on`` is None where the return doesn't say: the day of receipt counts.
    """

    form: str
    partner_code: str
    edition: str
    reporting_quarter: str
    issued_on: date | None
    period: Period


def identify(path: Path, partner_code: str, forms: Mapping[str, Form]) -> Identity:
    """Tell what a file is.

    Args:
        path: The file under the name that the partner gave it.
        partner_code: The inbox folder it came in by.
        forms: Every form.

    Raises:
        ReturnIsNotRecognised: No form claims the name, the partner doesn't send the form, or its quarter can't be told.
        ReturnIsUnreadable: The quarter stands in the file, and the file can't be opened.
    """
    form = _form_of(path.name, partner_code, forms)
    period = _period_of(path, partner_code, form)
    edition = _edition_of(path.name, partner_code, period.quarter, form)
    issued_on = _issued_on(path, partner_code, form)
    return Identity(form.name, partner_code, edition.name, period.quarter.key, issued_on, period)


def only_partner(name: str, forms: Mapping[str, Form]) -> str:
    """Return the one partner that sends files of such a name; 'unknown' where no form claims it.

    Raises:
        OperatorError: More than one partner may have sent it.
    """
    claiming = [form for form in forms.values() if is_like(name, form.layout.file_names)]
    partners = dict.fromkeys(partner for form in claiming for partner in form.contract.partners)
    if len(partners) > 1:
        raise OperatorError(f"{name} may be from {' or '.join(partners)}. Say from whom, with --partner.")
    return next(iter(partners), "unknown")


def _reject(name: str, check_id: str, expected: str, found: str | None, remedy: str) -> ReturnIsNotRecognised:
    return ReturnIsNotRecognised(name, [Finding(check_id, expected, found, remedy)])


def _form_of(name: str, partner_code: str, forms: Mapping[str, Form]) -> Form:
    named = [form for form in forms.values() if is_like(name, form.layout.file_names)]
    if not named:
        own = [form for form in forms.values() if partner_code in form.contract.partners]
        examples = ", ".join(f"'{form.layout.example}'" for form in own or forms.values())
        remedy = "Give the file its form's name, and send it again."
        raise _reject(name, "QDY-001", f"a file named as its form asks, such as {examples}", name, remedy)
    sent = [form for form in named if partner_code in form.contract.partners]
    if not sent:
        partners = ", ".join(partner for form in named for partner in form.contract.partners)
        remedy = "Put the file into the folder of the partner that sends this form."
        raise _reject(name, f"{named[0].contract.check_prefix}-004", f"this form from {partners}", partner_code, remedy)
    # The more a glob says, the surer it is: 'victim-gateway-annual*' before 'victim-gateway*'.
    return max(sent, key=lambda form: max(len(glob) for glob in form.layout.file_names if is_like(name, (glob,))))


def _period_of(path: Path, partner_code: str, form: Form) -> Period:
    source, check_id = form.layout.quarter, f"{form.contract.check_prefix}-003"
    found = _find(source, path, partner_code, form)
    place = source.origin.replace("_", " ")
    expected = f"the period in the {place}, as in '{form.layout.example}'"
    if found is None:
        found_instead = path.name if source.origin == "file_name" else None
        raise _reject(
            path.name,
            check_id,
            expected,
            found_instead,
            "Say there which period the return is about, and send it again.",
        )
    try:
        return parse_period(found.text, source.type)
    except ValueError:
        finding = Finding(
            check_id,
            expected,
            found.text,
            "Write the period as in the example, and send the file again.",
            found.sheet,
            found.line,
            found.column,
        )
        raise ReturnIsNotRecognised(path.name, [finding]) from None


def _edition_of(name: str, partner_code: str, quarter: FinancialQuarter, form: Form) -> Edition:
    fitting = [edition for edition in form.layout.editions if edition.fits(partner_code, quarter, name)]
    if not fitting:
        known = "; ".join(
            f"{edition.name} from {edition.from_quarter or 'the start'} to {edition.to_quarter or 'now'}"
            for edition in form.layout.editions
        )
        remedy = "If the period in the file name is right, ask the office to add an edition of the form."
        raise _reject(
            name,
            f"{form.contract.check_prefix}-002",
            f"a period that an edition of the form covers ({known})",
            quarter.key,
            remedy,
        )
    return fitting[-1]


def _issued_on(path: Path, partner_code: str, form: Form) -> date | None:
    if form.layout.issued is None:
        return None
    try:
        found = _find(form.layout.issued, path, partner_code, form)
    except ReturnIsUnreadable:
        return None  # what the file is, is known by its name; that it can't be read is found when it is landed
    try:
        return parse_date(found.text) if found else None
    except ValueError:
        return None  # read_return finds fault with it


def _find(source: Source, path: Path, partner_code: str, form: Form) -> Found | None:
    if source.origin in ("file_name", "fixed"):
        text = source.search(path.name)
        return Found(text) if text else None
    for sheet in _tops(path, partner_code, form):
        if found := search_sheet(source, sheet):
            return found
    return None


def _tops(path: Path, partner_code: str, form: Form) -> Iterator[Sheet]:
    """Yield the sheets cut to their tops, with the coding of an edition that this partner may use."""
    editions = [edition for edition in form.layout.editions if edition.partner in (None, partner_code)] or list(
        form.layout.editions
    )
    edition = editions[-1]
    for sheet in read_grid(path, edition.encoding, edition.delimiter, f"{form.contract.check_prefix}-001"):
        if not edition.sheets or sheet.name is None or is_like(sheet.name, edition.sheets):
            top = list(islice(sheet.rows(), TOP_ROWS))
            yield Sheet(sheet.name, sheet.merged, sheet.csv, partial(iter, top))
