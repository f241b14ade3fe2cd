"""A dashboard of the bundle: where its charts stand, and what readers choose by."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from quarterday.superset.naming import VERSION, named_uuid
from quarterday.superset.spec import Chart, Dashboard, Dataset, Spec

WIDTH = 12
LETTERS = {"R": "#b10e1e", "A": "#f47738", "G": "#00703c", "W": "#b1b4b6"}
# A metric's colour goes by its name, whatever the legend shows.
METRICS = {"red": LETTERS["R"], "amber": LETTERS["A"], "green": LETTERS["G"], "unrated": LETTERS["W"]}
SHOWN = {"Red": LETTERS["R"], "Amber": LETTERS["A"], "Green": LETTERS["G"], "Not rated": LETTERS["W"]}
COLOURS = {**LETTERS, **METRICS, **SHOWN}


def dashboard_file(dashboard: Dashboard, spec: Spec) -> dict[str, Any]:
    """Return a dashboard as Superset imports it."""
    numbers = {chart.name: number for number, chart in enumerate(dashboard.charts, start=1)}
    return {
        "dashboard_title": dashboard.title,
        "description": dashboard.about,
        "css": "",
        "slug": f"quarterday-{dashboard.name.replace('_', '-')}",
        "certified_by": None,
        "certification_details": None,
        "published": True,
        "is_managed_externally": True,
        "uuid": named_uuid("dashboard", dashboard.name),
        "position": _position(dashboard, numbers),
        "metadata": {
            "color_scheme": "supersetColors",
            "label_colors": COLOURS,
            "cross_filters_enabled": True,
            "refresh_frequency": 0,
            "expanded_slices": {},
            "native_filter_configuration": [
                _filter(dashboard, spec.datasets[name], column, numbers) for name, column in dashboard.filters
            ],
        },
        "version": VERSION,
    }


def _position(dashboard: Dashboard, numbers: Mapping[str, int]) -> dict[str, Any]:
    """Return where each chart stands: charts that need half a row share one."""
    rows = _rows(dashboard.charts)
    position: dict[str, Any] = {
        "DASHBOARD_VERSION_KEY": "v2",
        "ROOT_ID": {"type": "ROOT", "id": "ROOT_ID", "children": ["GRID_ID"]},
        "HEADER_ID": {"type": "HEADER", "id": "HEADER_ID", "meta": {"text": dashboard.title}},
        "GRID_ID": {
            "type": "GRID",
            "id": "GRID_ID",
            "parents": ["ROOT_ID"],
            "children": [f"ROW-{number}" for number, _ in enumerate(rows, start=1)],
        },
    }
    for number, charts in enumerate(rows, start=1):
        row = f"ROW-{number}"
        position[row] = {
            "type": "ROW",
            "id": row,
            "parents": ["ROOT_ID", "GRID_ID"],
            "children": [f"CHART-{chart.name}" for chart in charts],
            "meta": {"background": "BACKGROUND_TRANSPARENT"},
        }
        for chart in charts:
            position[f"CHART-{chart.name}"] = {
                "type": "CHART",
                "id": f"CHART-{chart.name}",
                "parents": ["ROOT_ID", "GRID_ID", row],
                "children": [],
                "meta": {
                    "chartId": numbers[chart.name],
                    "uuid": named_uuid("chart", chart.name),
                    "sliceName": chart.title,
                    "width": WIDTH // len(charts),
                    "height": 50,
                },
            }
    return position


def _rows(charts: Iterable[Chart]) -> list[list[Chart]]:
    rows: list[list[Chart]] = []
    open_row: list[Chart] = []
    for chart in charts:
        if chart.kind == "table":
            rows.append([chart])
        elif open_row:
            open_row.append(chart)
            open_row = []
        else:
            open_row = [chart]
            rows.append(open_row)
    return rows


def _filter(dashboard: Dashboard, dataset: Dataset, column: str, numbers: Mapping[str, int]) -> dict[str, Any]:
    """Return a filter that readers choose by. It is left to the charts whose dataset has such a column."""
    without = [numbers[chart.name] for chart in dashboard.charts if column not in chart.dataset.columns]
    return {
        "id": f"NATIVE_FILTER-{dashboard.name}-{column}",
        "name": column.replace("_", " ").capitalize(),
        "filterType": "filter_select",
        "type": "NATIVE_FILTER",
        "description": "",
        "targets": [{"datasetUuid": named_uuid("dataset", dataset.name), "column": {"name": column}}],
        "controlValues": {
            "multiSelect": True,
            "enableEmptyFilter": False,
            "searchAllOptions": False,
            "sortAscending": True,
        },
        "defaultDataMask": {"extraFormData": {}, "filterState": {}, "ownState": {}},
        "cascadeParentIds": [],
        "scope": {"rootPath": ["ROOT_ID"], "excluded": without},
    }
