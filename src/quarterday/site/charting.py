"""Draws an outcome's quarters as a line chart in SVG: shapes and words carry the meaning, never a colour alone.

The chart is drawn from what the table beside it shows, and from nothing else: a quarter that is left out has no place.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from itertools import groupby
from typing import Literal

from markupsafe import Markup, escape

from quarterday.site.scaling import Scale, pushed_apart, scale_of

INK, FAINT, LINE, LIMIT, BASE = "#0b0c0c", "#b1b4b6", "#12436d", "#505a5f", "#801650"
Shape = Literal["firm", "provisional"]


@dataclass(frozen=True)
class Point:
    """A quarter of a chart. ``value`` is None where there is no figure to show; ``missing`` is then its shorthand."""

    year: str
    quarter: str
    value: float | None
    missing: str = "[x]"
    shape: Shape = "firm"
    is_restated: bool = False
    is_signal: bool = False


@dataclass(frozen=True)
class Level:
    """A level line from one point to another, both counted from 0: the mean, a limit, the baseline."""

    name: str
    text: str
    value: float
    first: int
    last: int
    colour: str = LIMIT
    dashes: str = ""


@dataclass(frozen=True)
class Chart:
    """What is drawn: the message and text alternative, the points in order, and the levels."""

    key: str
    message: str
    description: str
    points: Sequence[Point]
    levels: Sequence[Level] = ()
    unit: str = ""


@dataclass(frozen=True)
class Sheet:
    """The paper: its size and margins, the size of letters, and whether levels have their names beside them."""

    name: str
    width: int
    height: int
    right: int
    left: int = 52
    top: int = 24
    bottom: int = 48
    letters: int = 14
    has_names: bool = True


WIDE = Sheet("wide", 760, 360, right=150)
NARROW = Sheet("narrow", 320, 280, right=10, left=44, letters=12, has_names=False)


@dataclass
class _Pen:
    """Collects the marks of a drawing, in which every text is escaped."""

    marks: list[str] = field(default_factory=list)

    def line(self, x1: float, y1: float, x2: float, y2: float, colour: str, width: float, dashes: str = "") -> None:
        dashed = f' stroke-dasharray="{dashes}"' if dashes else ""
        self.marks.append(
            f'<line x1="{x1:g}" y1="{y1:g}" x2="{x2:g}" y2="{y2:g}" '
            f'stroke="{colour}" stroke-width="{width:g}"{dashed}/>'
        )

    def text(self, x: float, y: float, words: str, size: int, anchor: str = "start", colour: str = INK) -> None:
        self.marks.append(
            f'<text x="{x:g}" y="{y:g}" font-size="{size}" text-anchor="{anchor}" '
            f'fill="{colour}">{escape(words)}</text>'
        )


def draw(chart: Chart, sheet: Sheet = WIDE) -> Markup:
    """Return the chart as an SVG element with a title and a description.

    Args:
        chart: What to draw; with at least one point that has a figure.
        sheet: How large.
    """
    values = [point.value for point in chart.points if point.value is not None]
    tall = scale_of([*values, *(level.value for level in chart.levels)], sheet.height - sheet.bottom, sheet.top)
    places = _places(len(chart.points), sheet)
    pen = _Pen()
    _draw_axis(pen, tall, chart, places, sheet)
    _draw_levels(pen, tall, chart.levels, places, sheet)
    _draw_course(pen, tall, chart.points, places, sheet)
    key = f"{chart.key}-{sheet.name}"
    return Markup(
        f'<svg class="qd-chart qd-chart--{sheet.name}" viewBox="0 0 {sheet.width} {sheet.height}" '
        f'width="{sheet.width}" height="{sheet.height}" role="img" aria-labelledby="{key}-title {key}-description" '
        f'font-family="arial, sans-serif"><title id="{key}-title">{escape(chart.message)}</title>'
        f'<desc id="{key}-description">{escape(chart.description)}</desc>{"".join(pen.marks)}</svg>'
    )


def _places(count: int, sheet: Sheet) -> list[float]:
    """Return where each point stands from left to right."""
    room = sheet.width - sheet.left - sheet.right
    return [round(sheet.left + room * (number + 0.5) / count, 1) for number in range(count)]


def _draw_axis(pen: _Pen, tall: Scale, chart: Chart, places: Sequence[float], sheet: Sheet) -> None:
    right = sheet.width - sheet.right
    for tick in tall.ticks:
        height = tall.place(tick)
        pen.line(sheet.left, height, right, height, FAINT, 1)
        pen.text(sheet.left - 6, height + sheet.letters / 3, _number(tick, tall.step), sheet.letters, "end")
    pen.text(4, sheet.letters, chart.unit, sheet.letters)
    floor = sheet.height - sheet.bottom
    gap = places[1] - places[0] if len(places) > 1 else sheet.width
    for point, place in zip(chart.points, places, strict=True):
        pen.line(place, floor, place, floor + 4, INK, 1)
        if gap >= 1.9 * sheet.letters:
            pen.text(place, floor + 4 + sheet.letters, point.quarter, sheet.letters, "middle")
    for words, place in _years(chart.points, places, sheet):
        pen.text(place, floor + 8 + 2 * sheet.letters, words, sheet.letters, "middle")


def _years(points: Sequence[Point], places: Sequence[float], sheet: Sheet) -> Iterator[tuple[str, float]]:
    """Give each year with the middle of its points; where there is no room for all, every second or third."""
    middles = []
    for year, group in groupby(range(len(points)), key=lambda number: points[number].year):
        numbers = list(group)
        middles.append((year, (places[numbers[0]] + places[numbers[-1]]) / 2))
    last = -1e9
    for year, middle in middles:
        if middle - last >= 4.4 * sheet.letters:
            last = middle
            yield year, round(min(max(middle, 2.2 * sheet.letters), sheet.width - 2.2 * sheet.letters), 1)


def _draw_levels(pen: _Pen, tall: Scale, levels: Sequence[Level], places: Sequence[float], sheet: Sheet) -> None:
    reach = (places[1] - places[0]) / 2 if len(places) > 1 else sheet.width / 4
    for level in levels:
        height = tall.place(level.value)
        pen.line(
            places[level.first] - reach, height, places[level.last] + reach, height, level.colour, 1.5, level.dashes
        )
    if not sheet.has_names:
        return
    named = list({level.name: level for level in levels}.values())
    wanted = [tall.place(level.value) + sheet.letters / 3 for level in named]
    heights = pushed_apart(wanted, sheet.letters + 2, sheet.top, sheet.height - sheet.bottom + sheet.letters / 2)
    for level, height in zip(named, heights, strict=True):
        pen.text(
            sheet.width - sheet.right + 8, height, f"{level.name} {level.text}", sheet.letters, colour=level.colour
        )


def _draw_course(pen: _Pen, tall: Scale, points: Sequence[Point], places: Sequence[float], sheet: Sheet) -> None:
    """Draw the line, broken where a figure is missing, its points, and the shorthand of what is missing."""
    heights = [None if point.value is None else tall.place(point.value) for point in points]
    for number in range(1, len(points)):
        before, here = heights[number - 1], heights[number]
        if before is not None and here is not None:
            pen.line(places[number - 1], before, places[number], here, LINE, 2)
    for point, place, height in zip(points, places, heights, strict=True):
        if height is not None:
            _draw_point(pen, point, place, height, sheet)
    floor = sheet.height - sheet.bottom
    for missing, group in groupby(
        range(len(points)), key=lambda one: points[one].missing if heights[one] is None else ""
    ):
        numbers = list(group)
        if missing:
            middle = (places[numbers[0]] + places[numbers[-1]]) / 2
            pen.text(round(middle, 1), floor - 6, missing, sheet.letters, "middle")


def _draw_point(pen: _Pen, point: Point, x: float, y: float, sheet: Sheet) -> None:
    """Draw a point: a dot, or a hollow diamond while provisional; in a square for a signal, with an r if restated."""
    if point.is_signal:
        pen.marks.append(
            f'<rect x="{x - 9:g}" y="{y - 9:g}" width="18" height="18" fill="none" stroke="{INK}" stroke-width="2"/>'
        )
    pen.marks.append(mark(point.shape, x, y))
    if point.is_restated:
        pen.text(x, y - 12, "r", sheet.letters, "middle")


def mark(shape: Shape, x: float, y: float) -> str:
    """Return a point's mark, as the chart and its legend have it."""
    if shape == "provisional":
        corners = f"{x:g},{y - 6:g} {x + 6:g},{y:g} {x:g},{y + 6:g} {x - 6:g},{y:g}"
        return f'<polygon points="{corners}" fill="#ffffff" stroke="{LINE}" stroke-width="2"/>'
    return f'<circle cx="{x:g}" cy="{y:g}" r="4.5" fill="{LINE}"/>'


def legend(levels: Sequence[Level]) -> list[tuple[str, Markup]]:
    """Return each level's name with its newest number, and the line that stands for it."""
    newest = {level.name: level for level in levels}
    found = []
    for level in newest.values():
        pen = _Pen()
        pen.line(0, 8, 28, 8, level.colour, 2, level.dashes)
        found.append((f"{level.name} {level.text}", Markup(pen.marks[0])))
    return found


def _number(value: float, step: float) -> str:
    places = next(count for count in range(7) if abs(round(step, count) - step) < 1e-9 or count == 6)
    return f"{value:,.{places}f}".replace("-", "−")
