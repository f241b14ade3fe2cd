"""A chart of the bundle: what Superset's page draws it from, and what its API answers its rows from."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from quarterday.superset.naming import VERSION, named_uuid
from quarterday.superset.spec import Chart

ROW_LIMIT = 10000
VIZ = {
    "table": "table",
    "aggregate": "table",
    "pivot": "pivot_table_v2",
    "bar": "echarts_timeseries_bar",
    "line": "echarts_timeseries_line",
}
OPERATORS = {"==": "EQUALS", "!=": "NOT_EQUALS", "IN": "IN", ">": "GREATER_THAN"}


def chart_file(chart: Chart) -> dict[str, Any]:
    """Return a chart as Superset imports it."""
    params = _params(chart)
    return {
        "slice_name": chart.title,
        "description": None,
        "certified_by": None,
        "certification_details": None,
        "viz_type": VIZ[chart.kind],
        "params": params,
        "query_context": json.dumps(_query_context(chart, params), indent=1),
        "cache_timeout": None,
        "is_managed_externally": True,
        "uuid": named_uuid("chart", chart.name),
        "version": VERSION,
        "dataset_uuid": named_uuid("dataset", chart.dataset.name),
    }


def _params(chart: Chart) -> dict[str, Any]:
    """Return what Superset's page draws a chart from."""
    shared = {"viz_type": VIZ[chart.kind], "adhoc_filters": list(map(_adhoc, chart.where)), "row_limit": ROW_LIMIT}
    return shared | {
        "table": _raw_table,
        "aggregate": _grouped_table,
        "pivot": _pivot,
        "bar": _series,
        "line": _series,
    }[chart.kind](chart)


def _raw_table(chart: Chart) -> dict[str, Any]:
    order = [json.dumps([column, direction == "asc"]) for column, direction in chart.order]
    return {
        "query_mode": "raw",
        "show_cell_bars": False,
        "all_columns": list(chart.columns),
        "order_by_cols": order,
        "table_timestamp_format": "%Y-%m-%d",
    }


def _grouped_table(chart: Chart) -> dict[str, Any]:
    groups = {"groupby": list(chart.rows), "metrics": list(chart.metrics)}
    return {"query_mode": "aggregate", "show_cell_bars": False, **groups}


def _pivot(chart: Chart) -> dict[str, Any]:
    return {
        "groupbyRows": list(chart.rows),
        "groupbyColumns": list(chart.by),
        "metrics": list(chart.metrics),
        "aggregateFunction": "Sum",
        "metricsLayout": "COLUMNS",
        "rowOrder": "key_a_to_z",
        "colOrder": "key_a_to_z",
        "valueFormat": "SMART_NUMBER",
    }


def _series(chart: Chart) -> dict[str, Any]:
    return {
        "x_axis": chart.rows[0],
        "x_axis_sort_asc": True,
        "x_axis_sort": chart.rows[0],
        "xAxisForceCategorical": True,
        "metrics": list(chart.metrics),
        "groupby": list(chart.by),
        "stack": "Stack" if chart.kind == "bar" else None,
        "markerEnabled": chart.kind == "line",
        "show_legend": True,
        "rich_tooltip": True,
        "y_axis_format": "SMART_NUMBER",
        "color_scheme": "supersetColors",
    }


def _adhoc(where: tuple[str, str, Any]) -> dict[str, Any]:
    column, operator, value = where
    return {
        "clause": "WHERE",
        "expressionType": "SIMPLE",
        "subject": column,
        "operator": operator,
        "operatorId": OPERATORS[operator],
        "comparator": value,
    }


def _query_context(chart: Chart, params: Mapping[str, Any]) -> dict[str, Any]:
    """Return what Superset's API answers a chart's rows from. A query without metrics is of rows as they are."""
    grouped = [*chart.rows, *chart.by]
    order = [[column, direction == "asc"] for column, direction in chart.order] or [
        [column, True] for column in grouped
    ]
    query: dict[str, Any] = {
        "columns": [*chart.columns, *grouped],
        "filters": [{"col": column, "op": operator, "val": value} for column, operator, value in chart.where],
        "orderby": order,
        "row_limit": ROW_LIMIT,
        "extras": {},
    }
    if chart.metrics:
        query["metrics"] = list(chart.metrics)
    return {
        "datasource": {"id": 0, "type": "table"},  # the import puts its own number here
        "force": False,
        "queries": [query],
        "form_data": dict(params),
        "result_format": "json",
        "result_type": "full",
    }
