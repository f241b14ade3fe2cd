"""What reports have printed, beside what is computed, as it may be shown."""

from __future__ import annotations

from dataclasses import dataclass

from quarterday.opendata.tables import Row
from quarterday.site import wording
from quarterday.site.reading import Told

VERDICTS = {
    "differs": "Differs",
    "rounds": "Agrees as far as it was rounded",
    "agrees": "Agrees",
    "cannot_be_checked": "Cannot be checked",
    "[c]": "Left out to protect people",
}


@dataclass(frozen=True)
class Print:
    """A figure that a report prints, beside the computed one."""

    key: str
    label: str
    printed: str
    computed: str
    difference: str
    verdict: str
    made_from: str
    why: str
    page: str


@dataclass(frozen=True)
class Document:
    """A report with the figures that it prints."""

    code: str
    name: str
    prints: tuple[Print, ...]

    @property
    def path(self) -> str:
        """The page's path in the site."""
        return f"printed/{self.code.replace('_', '-')}.html"

    def count(self, verdict: str) -> int:
        """Return how many of its figures have a verdict."""
        return sum(one.verdict == verdict for one in self.prints)


def documents_of(told: Told, told_of: frozenset[str]) -> list[Document]:
    """Return the reports with their figures, in the order of their names.

    Args:
        told: What the release tells.
        told_of: The measures that have a page.
    """
    by_document: dict[tuple[str, str], list[Print]] = {}
    for row in told.more["printed"]:
        by_document.setdefault((row["document"], row["document_code"]), []).append(_print(row, told_of))
    return [Document(code, name, tuple(prints)) for (name, code), prints in sorted(by_document.items())]


def _print(row: Row, told_of: frozenset[str]) -> Print:
    hidden = row["verdict"] == "[c]"
    unit = row["unit"]
    computed = row["computed_text"] or (
        wording.amount(row["computed_value"], unit) if row["computed_value"] is not None else ""
    )
    difference = wording.changed_by(row["difference"], unit) if row["difference"] else ""
    why = row["explanation"] or (row["reason"] or "").replace("_", " ").capitalize()
    kind = "" if row["link_kind"] in (None, "none") else row["link_kind"].replace("_", " ")
    return Print(
        row["printed_figure_id"],
        row["label"],
        "[c]" if hidden else row["printed_text"] or "(blank)",
        "[c]" if hidden else computed,
        "" if hidden else difference,
        VERDICTS[row["verdict"]],
        kind,
        why,
        f"outcomes/{row['measure_code']}.html" if row["measure_code"] in told_of else "",
    )
