"""Reads a csv file of settings that is all right or not used at all: every fault is named, by line and column."""

from __future__ import annotations

import csv
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from pathlib import Path

Line = tuple[int, dict[str, str]]
# Of a line and the names that stand above it: each column that is wrong, and what was expected of it.
LineFaults = Callable[[Mapping[str, str], set[str]], Iterable[tuple[str, str]]]


def read_lines(path: Path, columns: Sequence[str]) -> tuple[list[Line], list[str]]:
    """Return the lines with their numbers, counted from 1; where the heading is another, none and the fault."""
    with path.open(newline="", encoding="utf-8") as file:
        reader = csv.DictReader(file, strict=True)
        if tuple(reader.fieldnames or ()) != tuple(columns):
            found = ", ".join(reader.fieldnames or ()) or "nothing"
            return [], [f"  line 1: expected the columns {', '.join(columns)}; found {found}."]
        return [(reader.line_num, row) for row in reader], []


def is_whole(row: Mapping[str, str]) -> bool:
    """Return whether a line has as many cells as the heading."""
    return None not in row and None not in row.values()


def faults_of(lines: Iterable[Line], columns: Sequence[str], line_faults: LineFaults) -> Iterator[str]:
    """Give every fault of the lines in words; the first column is a line's name, which ``line_faults`` may compare."""
    seen: set[str] = set()
    for number, row in lines:
        if not is_whole(row):
            yield f"  line {number}: expected {len(columns)} columns; found another number of them."
            continue
        for column, expected in line_faults(row, seen):
            yield f"  line {number}, column {column}: expected {expected}; found '{row[column]}'."
        seen.add(row[columns[0]])
