"""The public site of two releases: what is left out stays out, figures lead to where they came from, bytes stay."""

from __future__ import annotations

import csv
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import pytest
from pikepdf import Array, Dictionary, Object, Pdf

from quarterday.errors import OperatorError
from quarterday.settings import Settings
from quarterday.site import wording
from quarterday.site.making import Site, make_site
from quarterday.warehouse import connect
from tests.marts_support import (
    Figure,
    admit_figures,
    copy_of,
    deployed_template,
    module_warehouse,
    quarters_of,
    release_quickly,
    rows,
    year,
)
from tests.site.pages import broken_links, faults, pages_of, seen

__all__ = ["deployed_template", "module_warehouse"]

MEASURE, UNITS, SCHOOLS = "first_time_entrants", "cadet_units", "junior_cadet_schools"
APPROVER = "zoe.quill"
COUNTY, STOKE = "staffordshire_county", "stoke_on_trent"
QUARTERS = quarters_of(2016)


@dataclass(frozen=True)
class Told:
    """A warehouse, the folder of its sites, and the two that were made in it."""

    warehouse: Settings
    folder: Path
    sites: list[Site]


def told_first(settings: Settings, folder: Path, county: list[str], stoke: list[str]) -> Site:
    """Release two authorities' quarters, of cadet units a year, a part and a part that is gone with the next, and a
    measure of which nothing is left in the next."""
    _admit(settings, "yos_staffordshire", COUNTY, "2016-17-Q4", "2017-04-20", county)
    units = [_units("40"), _units("21", "juniors"), _units("19", "seniors")]
    units += [Figure(SCHOOLS, STOKE, year(2016), "7"), Figure(SCHOOLS, STOKE, year(2016), "3", breakdown="rural")]
    _admit(settings, "yos_stoke", STOKE, "2016-17-Q4", "2017-04-20", stoke, units)
    release_quickly(settings)
    return make_site(None, folder, settings, with_papers=False)


def _units(value: str, breakdown: str | None = None) -> Figure:
    return Figure(UNITS, STOKE, year(2016), value, breakdown=breakdown)


def _admit(
    settings: Settings,
    partner: str,
    area: str,
    quarter: str,
    issued_on: str,
    values: list[str],
    others: Sequence[Figure] = (),
) -> None:
    figures = [Figure(MEASURE, area, period, value) for period, value in zip(QUARTERS, values, strict=True)]
    figures.append(Figure(MEASURE, area, year(2016), str(sum(map(int, values)))))
    figures.append(Figure(MEASURE, area, year(2015), "160"))  # the baseline
    admit_figures(settings, "first_time_entrants", partner, quarter, issued_on, [*figures, *others])


@pytest.fixture(scope="module")
def told(module_warehouse: Settings, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Told]:
    """Three people in one quarter of one authority, which then counts another quarter again."""
    folder = tmp_path_factory.mktemp("site")
    for own in copy_of(module_warehouse, "site"):
        first = told_first(own, folder, ["41", "38", "44", "40"], ["24", "3", "19", "22"])
        _admit(
            own,
            "yos_stoke",
            STOKE,
            "2017-18-Q1",
            "2017-07-20",
            ["24", "3", "19", "27"],
            [_units("44"), _units("23", "juniors")],
        )
        _decided_by(APPROVER, release_quickly(own), own)
        yield Told(own, folder, [first, make_site(None, folder, own, with_papers=has_pango())])


def _decided_by(name: str, release_id: int, settings: Settings) -> None:
    """Have somebody decide about a release in every way in which the ledger keeps who did."""
    with connect(settings, "owner") as connection, connection.cursor() as cursor:
        cursor.execute("update ledger.release set asked_by = %s where release_id = %s", (name, release_id))
        cursor.execute(
            """insert into ledger.sign_off (load_id, digest, decision, decided_by, reason, rules)
            select load_id, repeat('0', 64), 'approved', %s, 'seen', '{}' from ledger.release_load""",
            (name,),
        )
        cursor.execute(
            """insert into ledger.accepted_check (load_id, check_id, line_count, reason, accepted_by)
            select load_id, 'FTE-001', 1, 'confirmed', %s from ledger.release_load""",
            (name,),
        )
        cursor.execute(
            """insert into ledger.load_event (load_id, event, detail)
            select load_id, 'approved', 'by ' || %s || ': seen' from ledger.release_load""",
            (name,),
        )


def has_pango() -> bool:
    """Return whether text can be laid out here."""
    try:
        import weasyprint  # noqa: F401
    except OSError:
        return False
    return True


def page(told: Told, release: int, name: str) -> str:
    return (told.sites[release].folder / name).read_text(encoding="utf-8")


def bytes_of(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in sorted(folder.rglob("*")) if path.is_file()}


def row_of(text: str, anchor: str) -> str:
    """The row of a table that has an id, as text."""
    [row] = re.findall(rf'<tr class="govuk-table__row" id="{anchor}">(.*?)</tr>', text, re.DOTALL)
    return " ".join(re.sub(r"<[^>]+>", " ", row).split())


def test_a_figure_that_open_data_leaves_out_shows_as_c_and_has_no_place_in_the_chart(told: Told) -> None:
    for number in (0, 1):
        text = page(told, number, f"outcomes/{MEASURE}.html")
        assert "[c]" in row_of(text, "figure-stoke_on_trent-2016-17-q2")
        part = text[text.index('<section aria-labelledby="stoke_on_trent">') :]
        chart = part[part.index("<svg class") : part.index("</svg>")]
        anchors = re.findall(r'id="(figure-stoke_on_trent-[^"]+)"', part)
        shown = [anchor for anchor in anchors if "[" not in row_of(text, anchor)]
        assert chart.count("<circle") == len(shown) < 4
        assert "limit" not in chart.lower() and "left out to protect people" in part
        with (told.sites[number].folder / f"outcomes/{MEASURE}.csv").open(newline="", encoding="utf-8") as file:
            hidden = [one for one in csv.DictReader(file) if one["value_shorthand"] == "[c]"]
        assert hidden and {(one["value"], one["signal"], one["upper_limit"]) for one in hidden} == {("", "", "")}


def test_a_site_does_not_depend_on_what_is_left_out(told: Told, module_warehouse: Settings, tmp_path: Path) -> None:
    """Another warehouse in which only figures are others that are left out gives the same bytes."""
    asked = "select distinct area_code, period_start::text from ledger.suppression where role = 'value' order by 1, 2"
    left_out = rows(told.warehouse, asked, "owner")
    pair = {(area, start) for area in (COUNTY, STOKE) for start in ("2016-07-01", "2016-10-01")}
    assert pair <= set(left_out), left_out
    for own in copy_of(module_warehouse, "other"):
        other = told_first(own, tmp_path, ["41", "39", "43", "40"], ["24", "2", "20", "22"])
        assert _without_day(other) == _without_day(told.sites[0])


def _without_day(site: Site) -> dict[str, bytes]:
    day = wording.day(site.edition.published_at.date()).encode()
    ours = {name: content for name, content in bytes_of(site.folder).items() if not name.startswith("data/release")}
    kept = {name: content for name, content in ours.items() if name != "data/csv-metadata.json"}
    return {name: content.replace(day, b"DAY") for name, content in kept.items()}


def test_made_again_a_site_has_the_same_bytes_also_when_a_later_one_has_been_made(told: Told, tmp_path: Path) -> None:
    first = told.sites[0]
    for name in (first.folder.name, ".site-killed"):  # by other code, and by a process that was killed
        (tmp_path / name).mkdir()
        (tmp_path / name / "index.html").write_text("old")
    again = make_site(first.edition.release_id, tmp_path, told.warehouse, with_papers=False)
    assert bytes_of(again.folder) == bytes_of(first.folder)
    assert sorted(path.name for path in tmp_path.iterdir()) == [first.folder.name, "index.html"]
    assert again.is_new and again.page_count == first.page_count
    assert {path.stat().st_mode & 0o777 for path in again.folder.rglob("*") if path.is_file()} == {0o644}


def test_a_restated_quarter_is_marked_and_tells_what_each_release_said(told: Told) -> None:
    before, after = (page(told, number, f"outcomes/{MEASURE}.html") for number in (0, 1))
    anchor = "figure-stoke_on_trent-2016-17-q4"
    assert "restated" not in row_of(before, anchor) and "restated" in row_of(after, anchor)
    words = " ".join(seen(told.sites[1].folder / f"outcomes/{MEASURE}.html").text)
    assert re.search(r"2016-17 Q4\s+22\s*, release \d+ of .*?\s+27\s*, release", words)
    assert re.search(r"22 became 27", " ".join(seen(told.sites[1].folder / "release.html").text))


def test_a_restated_year_a_restated_part_and_a_part_that_is_gone_are_told_too(told: Told) -> None:
    units = " ".join(" ".join(seen(told.sites[1].folder / f"outcomes/{UNITS}.html").text).split())
    year_told = r"2016-17 40 ?, release \d+ of [^,]*? 44 ?, release"
    assert re.search(year_told, units), units
    assert re.search(r"2016-17, Stoke-on-Trent, juniors, from .*? 21 ?, release \d+ of .*? 23 ?, release \d+", units)
    assert re.search(
        r"2016-17, Stoke-on-Trent, seniors, from .*? 19 ?, release .*? none any more ?, release \d+", units
    )
    assert len(re.findall(year_told, units)) == 1  # by year, and not as sent once more
    notes = " ".join(" ".join(seen(told.sites[1].folder / "release.html").text).split())
    assert "40 became 44" in notes and "21 became 23" in notes and "19 became none any more" in notes
    entrants = " ".join(seen(told.sites[1].folder / f"outcomes/{MEASURE}.html").text)
    assert "No part or other period below differs" in entrants


def test_a_measure_of_which_every_figure_was_withdrawn_keeps_its_page_which_says_so(told: Told) -> None:
    before, after = (told.sites[number].folder / f"outcomes/{SCHOOLS}.html" for number in (0, 1))
    assert "withdrawn" not in " ".join(seen(before).text) and ">7<" in before.read_text(encoding="utf-8")
    edition = told.sites[1].edition
    day, number = wording.day(edition.published_at.date()), edition.release_id
    words = " ".join(" ".join(seen(after).text).split())
    assert "Every figure of this measure was withdrawn. This release shows none." in words
    assert f"Release {number} of {day} took 2 figures back. Why: {edition.reason}." in words
    assert re.search(
        rf"2016-17, Stoke-on-Trent, from .*? 7 ?, release \d+ of .*? none any more ?, release {number}", words
    )
    assert re.search(rf"rural, from .*? 3 ?, release \d+ of .*? none any more ?, release {number}", words)
    notes, listed = (page(told, 1, name) for name in ("release.html", "outcomes.html"))
    assert f'outcomes/{SCHOOLS}.html#restated">' in notes and "7 became none any more" in notes
    assert f"Every figure was withdrawn, the last by release {number}" in listed[listed.index('id="withdrawn"') :]


def test_who_decided_about_a_release_stands_nowhere_in_what_is_published(told: Told) -> None:
    """Open data's workbook and Parquet hold the rows of its csv files."""
    said = bytes_of(told.sites[1].folder)
    assert f'"reason": "{told.sites[1].edition.reason}"'.encode() in said["data/release.json"]
    assert [name for name, content in said.items() if APPROVER.encode() in content] == []


def test_a_figure_leads_to_partner_file_line_and_release(told: Told) -> None:
    text = page(told, 1, f"outcomes/{MEASURE}.html")
    [anchor] = re.findall(r'id="figure-stoke_on_trent-2016-17-q4">.*?href="#(sent-\d+)"', text, re.DOTALL)[:1]
    said = row_of(text, anchor)
    assert "Stoke-on-Trent" in said and "line 5" in said and "27" in said
    load = re.search(rf'id="{anchor}">.*?sources.html#(load-\d+)"', text, re.DOTALL)
    assert load and "First Time Entrants" in row_of(page(told, 1, "sources.html"), load[1])


def test_every_link_leads_somewhere_and_every_page_is_built_as_it_should_be(told: Told) -> None:
    for site in told.sites:
        assert broken_links(site.folder) == []
        wrong = {path.name: found for path in pages_of(site.folder) if (found := faults(path))}
        assert wrong == {}
        titles = [seen(path).title for path in pages_of(site.folder)]
        assert len(titles) == len(set(titles)) == site.page_count
    assert f"{told.sites[1].folder.name}/index.html" in (told.folder / "index.html").read_text(encoding="utf-8")


def test_a_release_that_is_not_published_has_no_site(told: Told, tmp_path: Path) -> None:
    with pytest.raises(OperatorError, match="Release 999 is not published"):
        make_site(999, tmp_path, told.warehouse)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.skipif(not has_pango(), reason="needs Pango: apt-get install libpango-1.0-0 libpangoft2-1.0-0")
def test_the_reports_as_pdf_have_tags_title_and_language_and_each_picture_its_words(told: Told) -> None:
    papers = sorted((told.sites[1].folder / "papers").iterdir())
    assert [path.name for path in papers][0] == "annual-report-2016-17.pdf" and len(papers) >= 2
    for path in papers:
        with Pdf.open(path) as pdf:
            assert pdf.Root.MarkInfo.Marked and str(pdf.Root.Lang) == "en"
            assert pdf.Root.ViewerPreferences.DisplayDocTitle
            with pdf.open_metadata() as metadata:
                assert metadata["pdfuaid:part"] == "1" and "release" in metadata["dc:title"]
            tags = list(tags_of(pdf.Root.StructTreeRoot))
        kinds = [str(tag.get("/S")) for tag in tags]
        assert {"/H1", "/H2", "/Table", "/TH", "/TD", "/Figure"} <= set(kinds), kinds
        assert kinds.count("/H1") == 1
        pictures = [str(tag.get("/Alt", "")) for tag in tags if str(tag.get("/S")) == "/Figure"]
        assert all("Line chart of" in words for words in pictures)


def tags_of(tag: Object) -> Iterator[Object]:
    """Give the tags below one, in reading order."""
    below = tag.get("/K", [])
    for one in below if isinstance(below, Array) else [below]:
        if isinstance(one, Dictionary) and "/S" in one:
            yield one
            yield from tags_of(one)
