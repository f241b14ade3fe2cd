"""Makes a release's open data: as the release stood, under disclosure control, in a folder that never changes.

What is left out is decided once, when a release's open data is first made, with everything in mind that was made
public before; it stands in the ledger. Made again, the files are the same, or nothing is written.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from psycopg2.extensions import cursor as Cursor

from quarterday.disclosing.deciding import Decision, Published, decide
from quarterday.errors import OperatorError
from quarterday.opendata import record
from quarterday.opendata.saying import leave_out, snapshot_of, world_of
from quarterday.opendata.tables import Row, Rows, public_row, public_tables
from quarterday.opendata.workbook import write_workbook
from quarterday.opendata.writing import (
    MANIFEST,
    METADATA,
    Edition,
    csvw_metadata,
    in_order,
    sha256_of,
    write_csv,
    write_json,
    write_parquet,
)
from quarterday.past import Past, fetch_tables
from quarterday.placing import draft_in
from quarterday.settings import Settings
from quarterday.warehouse import connect

Tell = Callable[[str], None]
INDEX, DRAFT = "releases.json", ".draft-"


@dataclass(frozen=True)
class OpenData:
    """Open data in its place: the folder, how many figures are left out, and of these only to protect others."""

    folder: Path
    edition: Edition
    left_out: int
    protecting: int
    is_new: bool
    is_least: bool = True
    given_away: tuple[str, ...] = ()


def make_open_data(release_id: int | None, to: Path, settings: Settings, tell: Tell = lambda step: None) -> OpenData:
    """Make the open data of a published release; the folder has its name when it is whole.

    Args:
        release_id: The release; None for the newest.
        to: The folder of all open data; the release gets its place below it.
        settings: Whose warehouse.
        tell: Is told each step.

    Raises:
        OperatorError: The release is not published, or its files would not be what they were. Nothing was written.
        SolverFailed: What to leave out could not be decided. Nothing was written.
    """
    with connect(settings, "owner") as connection, connection.cursor() as cursor:
        record.wait_for_turn(cursor)
        edition = record.edition_of(cursor, release_id)
        made = record.read_made(cursor, edition.release_id)
        tell(f"reading release {edition.release_id} as it stood")
        rows = rows_of(edition, settings)
        world = world_of(rows)
        decision = None
        if made is None:
            tell("choosing what to leave out")
            decision = decide(snapshot_of(rows, world), _public_so_far(cursor, settings, tell), world)
        hidden = frozenset(decision.suppressions) if decision else made.hidden if made else frozenset()
        tell("writing the files")
        return _put(edition, leave_out(rows, hidden, world), hidden, made, decision, to, cursor)


def rows_of(edition: Edition, settings: Settings) -> Rows:
    """Return the public tables as a release stood, with all that they say about people."""
    past = Past("as_known", edition.published_at, is_whole_day=False)
    return fetch_tables(past, {name: table.query for name, table in public_tables().items()}, settings)


def _public_so_far(cursor: Cursor, settings: Settings, tell: Tell) -> list[Published]:
    """Return what other releases have made public, in the order in which they did."""
    found = []
    for edition in record.made_before(cursor):
        tell(f"reading what release {edition.release_id} has made public")
        rows = rows_of(edition, settings)
        made = record.read_made(cursor, edition.release_id)
        found.append(Published(snapshot_of(rows, world_of(rows)), made.hidden if made else frozenset()))
    return found


def _put(
    edition: Edition,
    rows: Rows,
    hidden: frozenset[str],
    made: record.Made | None,
    decision: Decision | None,
    to: Path,
    cursor: Cursor,
) -> OpenData:
    """Write the files beside their place, hold them against what they were, note them, and give them their place."""
    place = to / edition.folder
    for folder in (to, place.parent):
        if not folder.is_dir():
            folder.mkdir(parents=True)
            folder.chmod(0o755)  # for whoever serves it; what else is made here is nobody else's
    with draft_in(place.parent, DRAFT) as folder:
        draft = folder / place.name
        draft.mkdir()
        write_folder(rows, edition, len(hidden), draft)
        files = {path.name: (sha256_of(path), path.stat().st_size) for path in sorted(draft.iterdir())}
        if made is not None:
            _expect_the_same(made, {name: sha256 for name, (sha256, _) in files.items()}, edition)
        elif decision is not None:
            record.note(cursor, edition, decision, files)
            cursor.connection.commit()
        is_new = _give_place(draft, place)
        _write_index(to, record.made_before(cursor))
    protecting = sum(one.rule == "protects" for one in decision.suppressions.values()) if decision else 0
    least, given_away = (decision.is_least, decision.given_away) if decision else (True, ())
    return OpenData(place, edition, len(hidden), protecting, is_new, least, given_away)


def write_folder(rows: Rows, edition: Edition, left_out: int, folder: Path) -> None:
    """Write every file of a release into an empty folder.

    Args:
        rows: The public tables, without what is left out.
        edition: The release.
        left_out: How many figures are left out.
        folder: Where.
    """
    tables = list(public_tables().values())
    shown: dict[str, Sequence[Row]] = {
        table.name: in_order(table, [public_row(table, row) for row in rows[table.name]]) for table in tables
    }
    for table in tables:
        write_csv(table, shown[table.name], folder / f"{table.name}.csv")
        write_parquet(table, shown[table.name], folder / f"{table.name}.parquet")
    write_json(csvw_metadata(tables, edition), folder / METADATA)
    write_workbook(tables, shown, edition, folder / f"release-{edition.release_id:04d}.xlsx", left_out)
    files = {path.name: sha256_of(path) for path in sorted(folder.iterdir())}
    write_json({**_described(edition), "figures_left_out": left_out, "files": files}, folder / MANIFEST)


def _described(edition: Edition) -> dict[str, object]:
    return {
        "release": edition.release_id,
        "published_at": edition.published_at.isoformat(timespec="seconds"),
        "reason": edition.reason,
        "path": edition.folder,
    }


def _expect_the_same(made: record.Made, files: dict[str, str], edition: Edition) -> None:
    """Refuse files that are not what they were: a permalink never changes."""
    unlike = sorted(name for name in files.keys() | made.files.keys() if files.get(name) != made.files.get(name))
    if unlike:
        raise OperatorError(
            f"Release {edition.release_id}: {', '.join(unlike)} would not be what was made public, so nothing was "
            f"written.\n  It was made by version {made.code_version}; make it again with that one, or copy the folder "
            "from where it is."
        )


def _give_place(draft: Path, place: Path) -> bool:
    """Move the whole folder to its place; one that is there already stays if it is the same.

    Returns:
        Whether it is new there.

    Raises:
        OperatorError: Something else is there. It is left as it is.
    """
    if not place.exists():
        draft.chmod(0o755)
        for path in draft.iterdir():
            path.chmod(0o644)
        draft.rename(place)
        return True
    there = {path.name: sha256_of(path) for path in place.iterdir() if path.is_file()}
    if there != {path.name: sha256_of(path) for path in draft.iterdir()}:
        raise OperatorError(
            f"{place} holds other files than were made public as this release, so nothing was written there.\n"
            "  Move them away, or name another folder; then make it again."
        )
    return False


def _write_index(to: Path, editions: Sequence[Edition]) -> None:
    """Write which releases are below the folder, the newest first."""
    there = [edition for edition in editions if (to / edition.folder).is_dir()]
    listed = [_described(edition) for edition in sorted(there, key=lambda one: one.published_at, reverse=True)]
    draft = to / f".{INDEX}"
    write_json({"latest": listed[0]["path"] if listed else None, "releases": listed}, draft)
    draft.chmod(0o644)
    draft.rename(to / INDEX)
