"""What the project knows already: areas, measures, partners, priorities, and the forms that are there."""

from __future__ import annotations

import csv
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

import yaml

from quarterday.reference import PARTNERS_FILE
from quarterday.settings import Settings
from quarterday.wording import is_like, plain


@dataclass(frozen=True)
class Known:
    """Codes by their names, as they are compared; the check prefixes that are taken; each form's file names."""

    areas: Mapping[str, str] = field(default_factory=dict)
    measures: Mapping[str, str] = field(default_factory=dict)
    partners: Mapping[str, str] = field(default_factory=dict)
    priorities: tuple[str, ...] = ()
    prefixes: frozenset[str] = frozenset()
    file_names: Mapping[str, tuple[str, ...]] = field(default_factory=dict)

    def area(self, name: str) -> str | None:
        """Return the code of an area by its name or by its code of the statistical office; None where it is unknown."""
        return self.areas.get(plain(name, False)) or self.areas.get(plain(name, False).replace("-", " "))

    def forms_like(self, file_name: str) -> list[str]:
        """Return the forms that claim a file name already."""
        return [form for form, globs in self.file_names.items() if is_like(file_name, globs)]


def read_known(settings: Settings) -> Known:
    """Read the seeds and the forms' folders; a form that can't be read is passed over: the draft needs little of it."""
    seeds = settings.dbt_project / "seeds"
    areas: dict[str, str] = {}
    for row in _seed(seeds / "areas.csv"):
        names = (row["area_name"], row["area_name"].replace("-", " "), row["ons_code"], row["area_code"])
        for name in names:
            areas.setdefault(plain(name or "", False), row["area_code"])
    areas.pop("", None)
    measures = {plain(row["measure_name"], False): row["measure_code"] for row in _seed(seeds / "measures.csv")}
    partners = {row["partner_code"]: row["partner_name"] for row in _seed(settings.returns / PARTNERS_FILE)}
    priorities = tuple(row["priority_code"] for row in _seed(seeds / "priorities.csv"))
    prefixes, file_names = _forms(settings.returns)
    return Known(areas, measures, partners, priorities, prefixes, file_names)


def _seed(path: Path) -> Iterator[dict[str, str]]:
    if path.exists():
        with path.open(encoding="utf-8", newline="") as file:
            yield from csv.DictReader(file)


def _forms(returns: Path) -> tuple[frozenset[str], dict[str, tuple[str, ...]]]:
    prefixes, names = set(), {}
    for folder in sorted(path.parent for path in returns.glob("*/contract.odcs.yaml")):
        try:
            contract = yaml.safe_load((folder / "contract.odcs.yaml").read_text(encoding="utf-8"))
            layout = yaml.safe_load((folder / "layout.yml").read_text(encoding="utf-8"))
            prefixes |= {
                str(item["value"]) for item in contract["customProperties"] if item["property"] == "checkPrefix"
            }
            names[folder.name] = tuple(layout["file_names"])
        except (OSError, yaml.YAMLError, KeyError, TypeError):
            continue
    return frozenset(prefixes), names
