"""Published states that can be told apart in every fact, and the question whether a read saw exactly one of them.

A state has a stamp, a number that stands in every fact: as a count, an amount, the words of an action, a crime's id. So
two facts of one read that show different stamps, or different releases, show a mixed state, whatever else is known.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta

from quarterday.settings import Settings
from tests.marts_support import Figure, admit_figures, admit_register, quarters_of, year

Read = Mapping[str, object]

FIRST_DAY = date(2017, 5, 1)
_OF_STOKE = "measure_code = 'first_time_entrants' and area_code = 'stoke_on_trent'"
_QUARTERS = "period_key between '2016-17-Q1' and '2016-17-Q4'"

# What is asked of each fact; one row each. A column named ..._stamp must show the state's stamp, one named ..._release
# its release; others are as the publisher found them right after the release.
PARTS: dict[str, str] = {
    "figures": f"""select min(value) as lowest_figure_stamp, max(value) as highest_figure_stamp
        from mart.fct_measurement where {_OF_STOKE} and {_QUARTERS}""",
    "outcomes": f"""select max(release_id) as outcome_release, min(value) as lowest_outcome_stamp,
            max(value) as highest_outcome_stamp
        from mart.fct_outcome where {_OF_STOKE} and {_QUARTERS}""",
    "years": f"""select max(release_id) as year_release, max(value)::numeric / 4 as year_stamp
        from mart.fct_outcome_year where {_OF_STOKE} and period_key = '2016-17'""",
    "priorities": """select max(release_id) as priority_release, max(outturn_year_gbp) / 1000 as spent_stamp,
            max(award_year_gbp) as awarded_stamp
        from mart.fct_priority where period_key = '2016-17-Q4'""",
    "budget": "select max(outturn_gbp) / 1000 as outturn_stamp, count(*) as budget_lines from mart.fct_budget_line",
    "awards": "select max(awarded_gbp) as award_stamp, count(*) as awards from mart.fct_grant_award",
    "actions": """select max(action_label)::numeric as action_stamp, count(*) as actions
        from mart.fct_action_status inner join mart.dim_action using (action_key)""",
    "crimes": "select max(location)::numeric as crime_stamp, count(*) as crimes from mart.fct_recorded_crime",
    "offences": "select max(offence_count) as offence_stamp, count(*) as offences from mart.fct_recorded_offence",
    "returns": """select released_version_count, issued_on
        from mart.fct_return where form = 'first_time_entrants' and partner_code = 'yos_stoke'
            and period_key = '2016-17-Q4'""",
    "checks": """select max(release_id) as check_release, count(distinct release_id) as check_releases
        from mart.fct_figure_check""",
    "history": """select count(*) as versions, count(*) filter (where known_to is null) as known_versions,
            max(value) filter (where known_to is null and superseded_on is null) as history_stamp
        from history.fct_measurement where period_key = '2016-17-Q1'""",
    "history_outcomes": f"""select max(release_id) as history_release, max(value) as history_outcome_stamp
        from history.fct_outcome where {_OF_STOKE} and {_QUARTERS} and known_to is null""",
    "history_registers": """select
            (select max(outturn_gbp) / 1000 from history.fct_budget_line
            where known_to is null and superseded_on is null) as history_outturn_stamp,
            (select max(awarded_gbp) from history.fct_grant_award
            where known_to is null and superseded_on is null) as history_award_stamp""",
    "report": f"""select max(computed_value) as report_stamp
        from mart.rpt_outcome_against_baseline where {_OF_STOKE} and {_QUARTERS}""",
}


@dataclass
class States:
    """The states that were published, as the publisher found them, and the reads that fit none."""

    by_release: dict[int, Read] = field(default_factory=dict)

    def add(self, read: Read, stamp: int, release_id: int) -> None:
        """Note what a release shows, after holding it against what it must show."""
        wrong = {
            name: value
            for name, value in read.items()
            if (name.endswith("_stamp") and value != stamp) or (name.endswith("_release") and value != release_id)
        }
        assert not wrong, f"release {release_id} must show stamp {stamp}; it shows {wrong}"
        assert read not in self.by_release.values(), f"release {release_id} can't be told from an earlier one"
        self.by_release[release_id] = read

    def not_one(self, reads: Iterable[Read]) -> list[str]:
        """Say of each read that did not see exactly one published state what it saw."""
        return [told for read in reads if (told := self._what_is_mixed(read))]

    def _what_is_mixed(self, read: Read) -> str | None:
        for ending in ("_stamp", "_release"):
            seen = {value for name, value in read.items() if name.endswith(ending)}
            if len(seen) != 1:
                return f"facts of several states: {dict(read)}"
        release_id = read["outcome_release"]
        state = self.by_release.get(release_id) if isinstance(release_id, int) else None
        if state is None:
            return f"a release that was not published: {dict(read)}"
        other = {name: (value, state[name]) for name, value in read.items() if value != state[name]}
        return f"release {release_id}, but for (seen, published): {other}" if other else None


@dataclass
class Sender:
    """Admits one return of each form with a stamp, and knows which stamp speaks."""

    settings: Settings
    days: list[tuple[date, int, int]] = field(default_factory=list)
    sent: int = 0

    @property
    def stamp(self) -> int:
        """The stamp of what was issued last; of one day, received last."""
        return max(self.days)[2]

    def newest_day(self) -> date:
        """Return a day of issue after all others."""
        return max(self.days)[0] + timedelta(days=2) if self.days else FIRST_DAY

    def send(self, issued_on: date) -> list[int]:
        """Admit a return of every form, issued on a day; return the loads."""
        self.sent += 1
        self.days.append((issued_on, self.sent, self.sent))
        return admit_state(self.settings, self.sent, issued_on)

    def take_back(self, stamp: int) -> None:
        """Forget what was sent with a stamp: it was withdrawn."""
        self.days = [sent for sent in self.days if sent[2] != stamp]


def admit_state(settings: Settings, stamp: int, issued_on: date) -> list[int]:
    """Admit a return of every form in which the stamp stands in every fact; return the loads."""
    day, number = issued_on.isoformat(), str(stamp)
    figures = [Figure("first_time_entrants", "stoke_on_trent", quarter, number) for quarter in quarters_of(2016)]
    figures.append(Figure("first_time_entrants", "stoke_on_trent", year(2015), "96"))
    plan = {"action_number": "1", "theme": "Prevention", "reference": "1", "action_label": number, "term_printed": "M"}
    plan |= {"carried_forward": "no", "rag": "G", "has_evidence": "yes"}
    budget = {"body": "OPCC", "budget_line": "Total", "financial_year": "2016/17", "status": "provisional"}
    budget |= {"budget_gbp": "10,626", "outturn_gbp": number, "variance_gbp": None, "variance_pct": None}
    award = {"fund_code": "people_power_fund", "financial_year": "2016/17", "funding_round": "1"}
    award |= {"awarded_gbp": number, "award_count": "16", "status": "final"}
    offence = {"force_name": "Staffordshire", "financial_year": "2016/17", "financial_quarter": "4"}
    offence |= {"offence_code": "1", "offence_description": "Murder", "offence_subgroup": "Homicide"}
    offence |= {"offence_group": "Violence against the person", "offences": number}
    crime = {"crime_id": "0" * 64, "month": "2017-03", "location": number, "crime_type": "Burglary"}
    crime |= dict.fromkeys(("reported_by", "falls_within"), "Staffordshire Police")
    crime |= {"longitude": "-2.1", "latitude": "52.8", "lsoa_code": "E01029700", "lsoa_name": "Stafford 001A"}
    quarter = quarters_of(2016)[3]
    registers: Sequence[tuple[str, str, dict[str, str | None], tuple[str, str, str]]] = (
        ("reducing_offending_action_plan", "offender_management_board", plan, quarter),
        ("budget_outturn", "opcc_finance", budget, year(2016)),
        ("community_fund_awards", "opcc_commissioning", award, year(2016)),
        ("home_office_recorded_crime", "home_office", offence, quarter),
        ("street_crime", "staffordshire_police", crime, ("calendar_month", "2017-03-01", "2017-03-31")),
    )
    return [
        admit_figures(settings, "first_time_entrants", "yos_stoke", "2016-17-Q4", day, figures),
        *(
            admit_register(settings, form, partner, "2016-17-Q4", day, [line], period)
            for form, partner, line, period in registers
        ),
    ]
