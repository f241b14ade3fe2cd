"""Writes ``docs/dictionary``: a page for each relation that readers see, one for the forms, and an index."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from quarterday.contracts import Column, Form, load_forms
from quarterday.dictionary.lineage import Lineage, Origin
from quarterday.dictionary.origins import BESIDE_CONTRACT, ContractColumn, contract_columns, in_words
from quarterday.dictionary.project import READ, DescribedColumn, Project, Relation, read_project
from quarterday.dictionary.units import blank_of, meaning_of, unit_of
from quarterday.generating import INDICATOR_TYPED
from quarterday.settings import load_settings

MADE = "Made from the contracts and the dbt project by `make forms`: don't edit it."
INDEX = f"""# Data dictionary

{MADE}

What a reader may read, relation by relation: what one row is, what each column means, in which unit, what it means that
it is blank, and where it comes from, down to the column of the form that a partner fills. `mart` is what is published
now; `history` is every version of it, with when it was known. The pages say the same as the database's own comments and
dbt's descriptions.

How to connect: [psql](../how-to/connect-psql.md), [Excel and ODBC](../how-to/connect-odbc.md),
[Power BI](../how-to/connect-power-bi.md), [Tableau](../how-to/connect-tableau.md).

| Word | What it says |
| --- | --- |
| Unit | *the measure's unit* is `unit` of `mart.dim_measure`; *a moment, UTC* has a time of day, *a day* none |
| Blank | why there may be no value; it is never nought. Nothing stands there where no blank is known of |
| Comes from | what the value is made of: a column of a form, a seed in `dbt_project/seeds`, the ledger |
| Decided by | what only chooses which value it is |

"""
FORMS = f"""# Forms and what becomes of their columns

{MADE}

The columns of each form as its contract in `returns/` says them, and the columns of `mart` whose values are made of
them. *Read by* leaves out what a column only decides; *nothing* says that it is landed, checked and kept, and shown
nowhere yet.

## Indicator forms

Every line is one number, and all indicator forms share one shape. What a number means is said for each measure, in
`mart.dim_measure` and in the form's contract.

"""
UNREAD = "nothing"
JOINS = re.compile(r"joins ((?:dim|fct|bridge)_\w+)")


@dataclass(frozen=True)
class Dictionary:
    """What the pages are written from."""

    project: Project
    forms: Mapping[str, Form]
    lineage: Lineage

    def origins(self, relation: Relation) -> Mapping[str, Origin]:
        """Return where each column of a relation comes from."""
        return self.lineage.of(relation)


def read_dictionary(dbt_project: Path, returns: Path) -> Dictionary:
    """Read the dbt project and the contracts. Takes some seconds: dbt parses its project."""
    project = read_project(dbt_project)
    return Dictionary(project, load_forms(returns), Lineage(project))


def write_pages(dictionary: Dictionary) -> dict[str, str]:
    """Return the text of every page by its file name in ``docs/dictionary``."""
    relations = dictionary.project.for_readers()
    pages = {f"{relation.relation}.md": _page(relation, dictionary) for relation in relations}
    return {"README.md": _index(dictionary), "forms.md": _forms_page(dictionary), **pages}


def _index(dictionary: Dictionary) -> str:
    parts = [INDEX.rstrip("\n")]
    for schema in READ:
        own = [one for one in dictionary.project.for_readers() if one.relation.startswith(f"{schema}.")]
        if not own:
            continue
        rows = [(_link(one), _cell(_grain(one))) for one in own]
        parts.append(f"## {schema}\n\n{_table(('Relation', 'One row'), rows)}")
    parts.append(f"## Who reads what\n\n{_readers(dictionary.project)}")
    parts.append("The forms that all of it comes from: [forms and what becomes of their columns](forms.md).")
    return "\n\n".join(parts) + "\n"


def _readers(project: Project) -> str:
    rows = []
    for exposure in project.exposures:
        read = sorted({project.relations[one].relation for one in exposure.reads})
        links = ", ".join(f"[`{name}`]({name}.md)" for name in read)
        rows.append((exposure.label, exposure.owner, _cell(exposure.description), links))
    return _table(("Reader", "Owner", "What it is", "Reads"), rows)


def _page(relation: Relation, dictionary: Dictionary) -> str:
    joins = _joins(relation, dictionary.project)
    origins = dictionary.origins(relation)
    rows = [_row(column, origins[column.name], joins, dictionary.forms) for column in relation.columns.values()]
    head = ("Column", "Type", "Unit", "Meaning", "Blank", "Comes from")
    partners = _partners(origins.values(), dictionary.forms)
    parts = [
        f"# {relation.relation}",
        MADE,
        relation.description,
        f"Made by `{relation.path}`.",
        *([partners] if partners else []),
        *_read_by(relation, dictionary.project),
        _table(head, rows),
    ]
    return "\n\n".join(parts) + "\n"


def _row(
    column: DescribedColumn, origin: Origin, joins: Mapping[str, str], forms: Mapping[str, Form]
) -> tuple[str, ...]:
    meaning = JOINS.sub(r"joins [`\1`](mart.\1.md)", meaning_of(column))
    if column.name in joins and "joins [" not in meaning:
        meaning = f"{meaning} Join: {joins[column.name]}."
    return (
        f"`{column.name}`",
        column.data_type.replace("timestamp with time zone", "timestamptz"),
        unit_of(column, origin, forms),
        _cell(meaning),
        _cell(blank_of(column)),
        in_words(origin, forms),
    )


def _joins(relation: Relation, project: Project) -> dict[str, str]:
    """Return for each column the readers' column that it is found in, as dbt's ``relationships`` tests hold it.

    A test may name the table behind a view; readers are sent to the view.
    """
    own = relation.relation.split(".")[0]
    found = {}
    names = {one.relation for one in project.for_readers()}
    for column, (other, key) in relation.joins.items():
        table = other.partition(".")[2]
        seen = next((name for name in (f"{own}.{table}", f"mart.{table}") if name in names), None)
        if seen:
            found[column] = f"[`{seen}.{key}`]({seen}.md)"
    return found


def _partners(origins: Iterable[Origin], forms: Mapping[str, Form]) -> str:
    """Return the sentence that says whose returns a relation is made of; empty where it is of none."""
    leaves = [leaf for origin in origins for leaf in origin.made_of]
    named = sorted({one.form for one in contract_columns(leaves, forms)})
    if not named:
        return ""
    told = [_sent_by(name, forms) for name in named]
    return f"Made of the returns of {'; '.join(told)}."


def _sent_by(name: str, forms: Mapping[str, Form]) -> str:
    if name == "indicator":
        return "all [indicator forms](forms.md#indicator-forms)"
    partners = ", ".join(f"`{partner}`" for partner in forms[name].contract.partners)
    return f"[`{name}`](forms.md#{name}) from {partners}"


def _read_by(relation: Relation, project: Project) -> list[str]:
    """Return the sentence that says which views and which consumers are made of a relation, if any."""
    above = [one.relation for one in project.for_readers() if relation.unique_id in one.reads]
    views = [f"[`{name}`]({name}.md)" for name in above]
    consumers = [exposure.label for exposure in project.exposures if relation.unique_id in exposure.reads]
    told = ", ".join([*views, *consumers])
    return [f"Read by {told}."] if told else []


def _forms_page(dictionary: Dictionary) -> str:
    reached = _reached(dictionary)
    indicator = [form for form in dictionary.forms.values() if form.is_indicator]
    shared = dict.fromkeys(column.name for form in indicator for column in form.contract.columns)
    typed = {name: (kind, meaning) for name, kind, meaning in INDICATOR_TYPED}
    head = ("Column", "Type", "Meaning", "Read by")
    rows = [
        (f"`{name}`", *typed[name], reached.get(ContractColumn("indicator", name), UNREAD))
        for name in (*shared, *BESIDE_CONTRACT)
    ]
    sent = ("Form", "From", "What it says")
    senders = [(f"`{form.name}`", _sent_from(form), _cell(form.contract.description)) for form in indicator]
    registers = [_register(form, reached) for form in dictionary.forms.values() if not form.is_indicator]
    return FORMS + "\n\n".join([_table(head, rows), _table(sent, senders), *registers]) + "\n"


def _register(form: Form, reached: Mapping[ContractColumn, str]) -> str:
    head = ("Column", "On the form", "Type", "Unit", "Meaning", "Read by")
    rows = [
        (
            f"`{column.name}`",
            _cell(column.business_name),
            column.logical_type,
            _unit(column),
            _cell(column.description),
            reached.get(ContractColumn(form.name, column.name), UNREAD),
        )
        for column in form.contract.columns
    ]
    about = f"{form.contract.description} {form.contract.grain} From {_sent_from(form)}."
    return f"## {form.name}\n\n{about}\n\n{_table(head, rows)}"


def _unit(column: Column) -> str:
    return " of ".join(word for word in (column.unit, column.unit_of_count) if word)


def _sent_from(form: Form) -> str:
    return ", ".join(f"`{partner}`" for partner in form.contract.partners)


def _reached(dictionary: Dictionary) -> dict[ContractColumn, str]:
    """Return for each contract's column the columns of ``mart`` that are made of it, as links."""
    found: dict[ContractColumn, dict[str, list[str]]] = {}
    for relation in dictionary.project.for_readers():
        if relation.relation.startswith("mart."):
            for name, origin in dictionary.origins(relation).items():
                for column in contract_columns(origin.made_of, dictionary.forms):
                    found.setdefault(column, {}).setdefault(relation.relation, []).append(name)
    return {column: _places(places) for column, places in found.items()}


def _places(places: Mapping[str, list[str]]) -> str:
    return "; ".join(
        f"[`{relation}`]({relation}.md) {', '.join(f'`{name}`' for name in names)}"
        for relation, names in places.items()
    )


def _grain(relation: Relation) -> str:
    """Return what one row is, out of the description's first sentence."""
    first = re.split(r"(?<=\.)\s", relation.description, maxsplit=1)[0]
    return re.sub(r"^Grain: one row ", "", first)


def _link(relation: Relation) -> str:
    return f"[`{relation.relation.partition('.')[2]}`]({relation.relation}.md)"


def _table(head: Iterable[str], rows: Iterable[Iterable[str]]) -> str:
    names = list(head)
    lines = [names, ["---"] * len(names), *map(list, rows)]
    return "\n".join(f"| {' | '.join(line)} |".replace("|  |", "| |") for line in lines)


def _cell(text: str) -> str:
    return " ".join(text.split()).replace("|", "\\|")


def main() -> None:
    """Write ``docs/dictionary`` of the project, and take away pages of what is no more."""
    settings = load_settings()
    folder = settings.project / "docs" / "dictionary"
    pages = write_pages(read_dictionary(settings.dbt_project, settings.returns))
    folder.mkdir(exist_ok=True)
    for path in folder.glob("*.md"):
        if path.name not in pages:
            path.unlink()
    for name, text in pages.items():
        (folder / name).write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
