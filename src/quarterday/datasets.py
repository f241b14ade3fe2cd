"""Writes ``docs/datasets.md``: each dataset that the five documents describe, and where it stands in the warehouse."""

from __future__ import annotations

import csv
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from quarterday.contracts import Contract, Form
from quarterday.errors import OperatorError
from quarterday.identifying import identify
from quarterday.reading.lines import read_return
from quarterday.settings import Settings, load_settings

DATASETS_FILE = "datasets.csv"
HEAD = """# The 35 datasets

Made from `returns/datasets.csv`, the contracts, the seeds and the demonstration returns: don't edit it, run
`make forms`.

A dataset is what a partner is asked for in the five documents; a form is how it comes in. *Periods held* are those of
the returns in `demo/`, made of what the documents print of it. Where nothing is printed, there is a blank form:
`quarterday template FORM QUARTER`.

| Column | What it says |
| --- | --- |
| Partner | who sends it, by the code of its inbox folder |
| Cadence, due | how often, working days after the quarter's end, and by how many quarters its figures lag |
| Owed | first and last day for which a return is owed; outside of them the service is *not commissioned*, not late |
| Priority | under the plans of 2013, 2017 and 2021 |
| Outcome | those that its measures are read under, in the plan of 2021 |

"""
COLUMNS = (
    "No.", "Dataset", "Form", "Partner", "Cadence, due", "Owed", "Measures", "Priority", "Outcome", "Periods held",
    "State",
)  # fmt: skip


@dataclass(frozen=True)
class Dataset:
    """A dataset of the documents: its number, its name, the codes of the forms that carry it, and a word on it."""

    number: int
    name: str
    supplier: str
    forms: tuple[str, ...]
    note: str


@dataclass(frozen=True)
class Holding:
    """What the demonstration returns of a form hold: how many were admitted, first and last day of their figures."""

    returns: int
    first_day: str
    last_day: str


@dataclass(frozen=True)
class Names:
    """Labels by code: of priorities, and of the outcomes that a measure is read under in the newest plan."""

    priorities: Mapping[str, str]
    outcomes: Mapping[str, tuple[str, ...]]


def read_datasets(returns_folder: Path) -> list[Dataset]:
    """Return the datasets in the order of their numbers.

    Raises:
        OperatorError: The file can't be read, or a column is missing.
    """
    path = returns_folder / DATASETS_FILE
    try:
        return sorted(map(_dataset, _rows(path)), key=lambda dataset: dataset.number)
    except (OSError, KeyError, ValueError) as error:
        raise OperatorError(
            f"{path}: the list of datasets could not be read ({type(error).__name__}: {error}). Nothing was written. "
            "It needs the columns dataset_number, dataset_name, supplier, forms and note."
        ) from error


def _dataset(row: Mapping[str, str]) -> Dataset:
    forms = tuple(row["forms"].split())
    return Dataset(int(row["dataset_number"]), row["dataset_name"], row["supplier"], forms, row["note"])


def write_datasets(forms: Mapping[str, Form], settings: Settings) -> str:
    """Return the text of ``docs/datasets.md``.

    Raises:
        OperatorError: The list of datasets can't be read, or names a form that there is none of.
    """
    datasets = read_datasets(settings.returns)
    unknown = sorted({form for dataset in datasets for form in dataset.forms} - set(forms))
    if unknown:
        raise OperatorError(
            f"{settings.returns / DATASETS_FILE}: no form in {settings.returns} is called {', '.join(unknown)}. "
            "Nothing was written. Mend the column 'forms', or add the form."
        )
    names, holdings = _names(settings.dbt_project / "seeds"), demo_holdings(forms, settings.project / "demo")
    head = [_line(COLUMNS), _line("---" for _ in COLUMNS)]
    body = [_line(_cells(dataset, forms, names, holdings)) for dataset in datasets]
    return HEAD + "\n".join([*head, *body]) + "\n"


def demo_holdings(forms: Mapping[str, Form], demo: Path) -> dict[str, Holding]:
    """Return by form what its admitted demonstration returns hold."""
    spans: dict[str, list[tuple[str, str]]] = {}
    for row in _rows(demo / "expected.csv"):
        if row["expected_verdict"] == "admitted":
            path = demo / "returns" / row["partner_code"] / row["file"]
            spans.setdefault(row["form"], []).append(_span(path, row["partner_code"], forms))
    return {form: Holding(len(held), min(held)[0], max(last for _, last in held)) for form, held in spans.items()}


def _span(path: Path, partner_code: str, forms: Mapping[str, Form]) -> tuple[str, str]:
    """Return the first and last day of the figures of a return."""
    identity = identify(path, partner_code, forms)
    lines = [line.cells for line in read_return(path, forms[identity.form], identity)]
    starts = [day for cells in lines if (day := cells.get("period_start"))]
    ends = [day for cells in lines if (day := cells.get("period_end"))]
    period = identity.period
    return min(starts, default=period.start.isoformat()), max(ends, default=period.end.isoformat())


def _cells(dataset: Dataset, forms: Mapping[str, Form], names: Names, holdings: Mapping[str, Holding]) -> Iterable[str]:
    own = [forms[form].contract for form in dataset.forms]
    measures = [measure for contract in own for measure in _measures(contract)]
    held = [holdings[form] for form in dataset.forms if form in holdings]
    yield str(dataset.number)
    yield dataset.name
    yield _several(f"`{contract.form}`" for contract in own) or "none"
    yield _several(f"`{partner}`" for contract in own for partner in contract.partners) or dataset.supplier
    yield _several(_cadence(contract) for contract in own)
    yield _several(_owed(contract) for contract in own)
    yield _several(measures, ", ") or ("a register" if own else "")
    yield _several(_priorities(contract, names) for contract in own)
    yield _several((label for measure in measures for label in names.outcomes.get(measure, ())), "; ")
    yield f"{min(one.first_day for one in held)} to {max(one.last_day for one in held)}" if held else ""
    yield _state(dataset, held)


def _state(dataset: Dataset, held: list[Holding]) -> str:
    if not dataset.forms:
        said = "no form"
    elif held:
        count = sum(one.returns for one in held)
        said = f"{count} return{'' if count == 1 else 's'} taken in"
    else:
        said = "blank form"
    return f"{said}; {dataset.note}" if dataset.note else said


def _cadence(contract: Contract) -> str:
    lag = f", lag {contract.lag_quarters} quarters" if contract.lag_quarters else ""
    return f"{contract.cadence.replace('_', ' ')}, {contract.due_working_days} days{lag}"


def _owed(contract: Contract) -> str:
    if contract.contract_start is None:
        return "nothing is owed"
    return f"{contract.contract_start} to {contract.contract_end or 'now'}"


def _measures(contract: Contract) -> list[str]:
    column = contract.column("measure_code")
    return [f"`{code}`" for code in column.allowed_values] if column else []


def _priorities(contract: Contract, names: Names) -> str:
    return " / ".join(names.priorities[code] for code in contract.priorities)


def _names(seeds: Path) -> Names:
    priorities = {row["priority_code"]: row["priority_name"] for row in _rows(seeds / "priorities.csv")}
    newest = _rows(seeds / "plans.csv")[-1]["plan_code"]
    labels = {row["outcome_code"]: row["outcome_label"] for row in _rows(seeds / "outcomes.csv")}
    outcomes: dict[str, tuple[str, ...]] = {}
    for row in _rows(seeds / "measure_outcomes.csv"):
        if row["outcome_code"].startswith(f"{newest}."):
            code = f"`{row['measure_code']}`"
            outcomes[code] = (*outcomes.get(code, ()), labels[row["outcome_code"]])
    return Names(priorities, outcomes)


def _several(texts: Iterable[str], between: str = "<br>") -> str:
    return between.join(dict.fromkeys(texts))


def _line(cells: Iterable[str]) -> str:
    return "| " + " | ".join(" ".join(cell.split()).replace("|", "\\|") for cell in cells) + " |"


def _rows(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def main() -> None:
    """Write ``docs/datasets.md`` of the project."""
    from quarterday.contracts import load_forms

    settings = load_settings()
    text = write_datasets(load_forms(settings.returns), settings)
    (settings.project / "docs" / "datasets.md").write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
