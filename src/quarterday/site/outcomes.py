"""What an outcome's page says: its message, chart, quarters, years, every figure as sent, and what was restated."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from datetime import date
from functools import cached_property

from quarterday.opendata.saying import COMMISSIONERS_AREA, PLANS
from quarterday.opendata.tables import Row
from quarterday.site import drawing, remarks, wording
from quarterday.site.charting import legend
from quarterday.site.outcome_views import Cell, Outcome, Part, Quarter, Restated, Sent, Version, Year
from quarterday.site.reading import Told
from quarterday.site.restated import Restatements

FIRM = {"final", "revised"}
DIRECTIONS = {
    "lower_is_better": "Lower is better.",
    "higher_is_better": "Higher is better.",
}
SUMS = {
    "sum_of_areas": "the areas in it, added up",
    "pooled": "the areas' counts, pooled",
    "simple_mean": "the mean of its areas",
    "simple_mean_as_sent": "the mean of its areas, as sent",
}
WHOLE = "all"


class Outcomes:
    """All outcomes of a release, by measure, in the order of their names."""

    def __init__(self, told: Told) -> None:
        """Sort what is told by measure."""
        self.told = told
        self.measures = {row["measure_code"]: row for row in told.rows["measures"]}
        self.areas = {row["area_code"]: row for row in told.rows["areas"]}
        self.loads = {row["load_id"]: row for row in told.more["loads"]}
        self.quarters = _grouped(told.rows["outcomes"])
        self.years = _grouped(told.rows["outcome_years"])
        self.sent = _grouped(told.rows["measurements"])
        self.restatements = Restatements(told)
        self.charts = {(row["measure_code"], row["area_code"], row["period_key"]): row for row in told.more["charts"]}

    @cached_property
    def codes(self) -> list[str]:
        """The measures of which anything is told, or was until it was withdrawn: a measure keeps its page."""
        told = self.quarters.keys() | self.years.keys() | self.sent.keys() | self.restatements.withdrawn
        return sorted(told & self.measures.keys(), key=lambda code: (self.measures[code]["measure_name"], code))

    def outcome(self, code: str) -> Outcome:
        """Return the page of a measure."""
        return _Writer(self, code).outcome()


def _grouped(rows: Sequence[Row]) -> dict[str, list[Row]]:
    found: dict[str, list[Row]] = {}
    for row in rows:
        found.setdefault(row["measure_code"], []).append(row)
    return found


class _Writer:
    """Writes one outcome's page."""

    def __init__(self, all_of_them: Outcomes, code: str) -> None:
        self.all = all_of_them
        self.code = code
        self.measure = all_of_them.measures[code]
        self.unit = self.measure["unit"]
        rows = sorted(all_of_them.sent.get(code, ()), key=self._order_of_sent)
        places = [(_place_of(row), row["status"] in PLANS, f"sent-{number}") for number, row in enumerate(rows, 1)]
        # A target that stands on the same line as the figure is not where the figure came from.
        self.anchors = {place: anchor for place, is_plan, anchor in sorted(places, key=lambda one: not one[1])}
        self.sent_rows = rows

    def outcome(self) -> Outcome:
        measure = self.measure
        parts = tuple(self._parts())
        tables = {"outcomes": self.all.quarters, "outcome_years": self.all.years}
        found = ((table, row) for table, rows in tables.items() for row in rows.get(self.code, ()))
        told = {(row["area_code"], row["period_key"]) for table, row in found if self._versions(table, row)}
        about = " ".join(filter(None, (DIRECTIONS.get(measure["direction"]), self._source_words())))
        return Outcome(
            self.code,
            measure["measure_name"],
            measure["unit_of_count"] or "",
            about,
            parts,
            tuple(self._sent(row, number) for number, row in enumerate(self.sent_rows, start=1)),
            tuple(self._restated_as_sent(told)),
            tuple(self.all.restatements.withdrawals(self.code)) if self.code in self.all.restatements.withdrawn else (),
        )

    def _source_words(self) -> str:
        series = self.measure["source_series"]
        return f"Kept by {series}." if series else ""

    def _parts(self) -> Iterator[Part]:
        by_area: dict[str, list[Row]] = {}
        for row in self.all.quarters.get(self.code, ()):
            by_area.setdefault(row["area_code"], []).append(row)
        years: dict[str, list[Row]] = {}
        for row in self.all.years.get(self.code, ()):
            years.setdefault(row["area_code"], []).append(row)
        for area in sorted(by_area.keys() | years.keys(), key=self.area_order):
            rows = sorted(by_area.get(area, ()), key=lambda row: row["period_key"])
            yield self._part(area, rows, sorted(years.get(area, ()), key=lambda row: row["period_key"]))

    def area_order(self, code: str) -> tuple[bool, int, str]:
        """Return the commissioner's area before its parts, and these before areas elsewhere; and then by name."""
        area = self.all.areas.get(code)
        above = list(_above(code, self.all.areas))
        return COMMISSIONERS_AREA not in above, len(above), area["area_name"] if area else code

    def _part(self, area: str, rows: Sequence[Row], years: Sequence[Row]) -> Part:
        quarters = tuple(self._quarter(row) for row in rows)
        told = [(row, quarter) for row, quarter in zip(rows, quarters, strict=True) if row["value"] is not None]
        name = self.area_name(area)
        latest = told[-1] if told else None
        message = self.message(name, latest[0] if latest else _newest(years))
        is_charted = drawing.is_charted(rows)
        return Part(
            area_code=area,
            area_name=name,
            message=message,
            remark=self._remark(rows, latest[0] if latest else None),
            charts=drawing.charts(self.measure, area, message, rows, quarters) if is_charted else (),
            description=drawing.described(self.unit, rows) if is_charted else "",
            legend=tuple(legend(drawing.levels(self.measure, rows))) if is_charted else (),
            baseline=self._baseline(rows),
            quarters=quarters,
            years=tuple(self._year(row) for row in years),
            restated=tuple(self._restated(rows, years)),
            latest=latest[1] if latest else None,
            signal=latest[0]["signal"] if latest else None,
            has_provisional=any("provisional" in quarter.notes for quarter in quarters),
            has_restated=any("restated" in quarter.notes for quarter in quarters),
            has_signal=any(row["signal"] not in (None, "none") for row in rows),
        )

    def area_name(self, code: str) -> str:
        """Return an area's name; its code where it has none."""
        return self.all.areas[code]["area_name"] if code in self.all.areas else code

    def message(self, area_name: str, row: Row | None) -> str:
        """Return what the newest figure says, as the chart's title."""
        if row is None:
            return f"{area_name}: no figure can be shown"
        said = wording.figure(row["value"], self.unit, row["value_qualifier"])
        start = f"{area_name}: {said} in {wording.quarter(row['period_key'])}"
        if row["signal"] in (None, "none"):
            return start + (", within the usual ups and downs" if row["signal"] else "")
        meaning = {"improvement": "an improvement", "concern": "a concern", "change": "a change"}[row["signal"]]
        return f"{start}, {meaning} beyond the usual ups and downs ({wording.RULES[row['signal_rule']]})"

    def _remark(self, rows: Sequence[Row], newest: Row | None) -> str:
        place = (self.code, newest["area_code"], newest["period_key"]) if newest else ("", "", "")
        return remarks.of_chart(rows, newest, self.all.charts.get(place, {}))

    def _quarter(self, row: Row) -> Quarter:
        is_there = row["value"] is not None
        return Quarter(
            anchor=f"figure-{row['area_code']}-{row['period_key'].lower()}",
            name=wording.quarter(row["period_key"]),
            months=wording.months(row["period_start"], row["period_end"]),
            cell=self._cell(row),
            change=self._change(row),
            rating=wording.RATINGS.get(row["rag_computed"] or ""),
            signal=wording.SIGNALS.get(row["signal"] or "", "") if is_there else "",
            notes=tuple(self._notes(row)),
        )

    def _notes(self, row: Row) -> Iterator[str]:
        if row["value"] is None:
            return
        if row["status"] and row["status"] not in FIRM:
            yield "provisional" if row["status"] in ("provisional", "interim") else row["status"]
        if self._versions("outcomes", row):
            yield "restated"
        if row["aggregation"] in SUMS:
            yield SUMS[row["aggregation"]]

    def _versions(self, table: str, row: Row) -> tuple[Version, ...]:
        return self.all.restatements.versions(table, row, self.unit)

    def _restated(self, rows: Sequence[Row], years: Sequence[Row]) -> Iterator[Restated]:
        """Give each quarter and year of an area that releases told in different ways."""
        for table, found in (("outcomes", rows), ("outcome_years", years)):
            for row in found:
                if versions := self._versions(table, row):
                    yield Restated(wording.quarter(row["period_key"]), versions, row["area_code"])

    def _restated_as_sent(self, told: Collection[tuple[str, str]]) -> Iterator[Restated]:
        """Give each figure as sent that releases told in different ways, but for wholes told by quarter or year.

        Args:
            told: Area and period of each quarter and year that is told already.
        """
        for number, row in enumerate(self.sent_rows, start=1):
            is_told = row["breakdown_code"] == WHOLE and (row["area_code"], row["period_key"]) in told
            versions = () if is_told else self._versions("measurements", row)
            if versions:
                yield Restated(self._sent_words(row), versions, f"sent-{number}")
        for rows in self.all.restatements.gone.get(self.code, ()):
            versions = self.all.restatements.versions_of_gone(rows, self.unit)
            yield Restated(self._sent_words(rows[-1]), versions, "restated")

    def _sent_words(self, row: Row) -> str:
        """Return what a figure as sent is of: period, area, part and who sent it."""
        period = wording.period(row["period_type"], row["period_key"], row["period_start"], row["period_end"])
        part = "" if row["breakdown_code"] == WHOLE else row["breakdown_code"].replace("_", " ")
        plan = row["status"] if row["status"] in PLANS else ""
        words = (period, self.area_name(row["area_code"]), part, plan)
        return f"{', '.join(filter(None, words))}, from {row['partner_name'] or row['partner_code']}"

    def _cell(self, row: Row, column: str = "value") -> Cell:
        if row[column] is not None:
            said = wording.figure(row[column], self.unit, row["value_qualifier"] if column == "value" else None)
            return Cell(said, source=self._source(row))
        shorthand = row.get(f"{column}_shorthand") or ""
        return Cell(shorthand, _meaning(row, shorthand), self._source(row))

    def _source(self, row: Row) -> str:
        """Return the anchor that says where a figure came from: its line as sent, else its return, else all lines."""
        anchor = self.anchors.get(_place_of(row))
        if anchor:
            return f"#{anchor}"
        if row.get("load_id") is None and self.sent_rows:
            return "#sources"  # added up from what stands there
        load_id = row.get("load_id")
        return f"../sources.html#load-{load_id}" if load_id in self.all.loads else ""

    def _change(self, row: Row) -> str:
        if row["change"] is None:
            return ""
        share = row["change_pct"]
        pct = f" ({wording.changed_by(share, 'count')}%)" if share and self.unit != "percent" else ""
        return wording.changed_by(row["change"], self.unit) + pct

    def _baseline(self, rows: Sequence[Row]) -> str:
        known = [row for row in rows if row["baseline_period_key"]]
        row = next((row for row in reversed(known) if row["change"] is not None), known[-1] if known else None)
        return remarks.of_quarter_baseline(self.measure, row, self._hedge_of_baseline(row)) if row else ""

    def _hedge_of_baseline(self, row: Row) -> str | None:
        """Return how the baseline is hedged, as the figure of its own period says; None where that isn't told."""
        whole = (one for one in self.sent_rows if one["breakdown_code"] == WHOLE and one["status"] not in PLANS)
        known = (*self.all.years.get(self.code, ()), *self.all.quarters.get(self.code, ()), *whole)
        place = row["area_code"], row["baseline_period_key"]
        of_it = (one for one in known if (one["area_code"], one["period_key"]) == place and one["value"] is not None)
        return next((one["value_qualifier"] for one in of_it), None)

    def _year(self, row: Row) -> Year:
        to_date = row["value_to_date_shorthand"] or ""
        if row["value_to_date"] is not None:
            to_date = wording.amount(row["value_to_date"], self.unit)
        rating = wording.RATINGS.get(row["rag_computed"] or "")
        baseline = remarks.of_baseline(self.unit, row, self._hedge_of_baseline(row))
        return Year(wording.quarter(row["period_key"]), self._cell(row), to_date, baseline, self._change(row), rating)

    def _order_of_sent(self, row: Row) -> tuple[object, ...]:
        area = self.area_order(row["area_code"])
        part = (row["breakdown_code"] != WHOLE, row["breakdown_code"])
        return (*part, *area, row["period_start"], row["period_end"], row["load_id"], row["line_number"] or 0)

    def _sent(self, row: Row, number: int) -> Sent:
        load = self.all.loads.get(row["load_id"], {})
        return Sent(
            anchor=f"sent-{number}",
            period=wording.period(row["period_type"], row["period_key"], row["period_start"], row["period_end"]),
            part="" if row["breakdown_code"] == WHOLE else row["breakdown_code"].replace("_", " "),
            area_name=row["area_name"] or row["area_code"],
            cell=Cell(self._cell(row).text, _meaning(row, row["value_shorthand"] or "")),
            status=", ".join(filter(None, (row["status"], "restated" if self._versions("measurements", row) else ""))),
            partner_name=row["partner_name"] or row["partner_code"],
            file_name=load.get("file_name", ""),
            sheet=row["sheet"] or "",
            line_number=row["line_number"],
            load_id=row["load_id"],
            release_id=load.get("release_id"),
        )


def _place_of(row: Row) -> tuple[object, ...]:
    """Return what a figure and its line as sent have in common."""
    part = row.get("breakdown_code") or WHOLE
    return part, row["area_code"], row["period_key"], row.get("load_id"), row.get("sheet"), row.get("line_number")


def _above(code: str | None, areas: Mapping[str, Row]) -> Iterator[str]:
    """Give an area and those that it lies in, from the inside out."""
    seen: set[str] = set()
    while code in areas and code not in seen:
        assert code is not None
        seen.add(code)
        yield code
        code = areas[code]["parent_area_code"]


def _newest(rows: Sequence[Row]) -> Row | None:
    """Return the newest year that has a figure; a year is no point of a chart."""
    return next((row | {"signal": None} for row in reversed(rows) if row["value"] is not None), None)


def _meaning(row: Row, shorthand: str) -> str:
    words = wording.MEANINGS.get(shorthand, "")
    state = wording.STATES.get(row.get("lag_state") or "", "")
    if shorthand != "[x]" or not state:
        return words
    until = row.get("available_on")
    return f"{words}: {state.format(day=wording.day(until) if isinstance(until, date) else 'later')}"
