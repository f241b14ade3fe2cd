"""What a reader finds in mart, from returns whose every number is written here."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import psycopg2
import pytest

from quarterday import releasing
from quarterday.calendar import period_key
from quarterday.dbt import run_dbt
from quarterday.settings import Settings
from quarterday.warehouse import connect
from tests.marts_support import (
    Figure,
    admit_figures,
    admit_register,
    deployed_template,
    module_warehouse,
    quarter,
    quarters_of,
    release,
    rows,
    year,
)

__all__ = ["deployed_template", "module_warehouse"]

# Authority: baseline 2015-16, the quarters of 2016-17, the quarters of 2017-18 as printed.
FIRST_TIME_ENTRANTS = {
    "staffordshire_county": ("yos_staffordshire", "167", ["48", "25", "50", "41"], ["31", "38", "24", "[x]"]),
    "stoke_on_trent": ("yos_stoke", "96", ["24", "38", "36", "41"], ["21", "19", "10", "[x]"]),
}
REOFFENDING = {
    ("youth_reoffending_rate", "staffordshire_county"): "41.3",
    ("youth_reoffending_rate", "stoke_on_trent"): "52.2",
    ("youth_reoffending_rate", "pcc_area"): "46.7",
    ("adult_reoffending_rate", "staffordshire_county"): "24.2",
    ("adult_reoffending_rate", "stoke_on_trent"): "33.3",
    ("adult_reoffending_rate", "pcc_area"): "28.7",
}
# Term and letter of every action, in the order of the printed plan.
ACTIONS = {
    "Prevention": "Mc:A S:G Mc:A M:G Mc:A Mc:A S:G S:G M:A S:G M:G M:G Mc:A M:G",
    "Diversion": "S:G S:G S:G S:G Mc:A Mc:A S:G S:G S:G M:G M:G S:G M:G M:G M:G M:G M:G L:A",
    "Offender Management": "S:G M:A L:A M:G M:G M:G M:G M:G",
    "Rehabilitation and Resettlement": "M:G M:G M:G S:G S:G M:G M:G G:G",
    "Cross-Cutting Programmes/Initiatives": "S:G S:G S:G S:G Mc:A",
}
# Sheet, area, group, disposal, to girls, to boys, in all, as the Youth Justice Board prints them: a total of a block
# that is one off, a blank figure, noughts beside a sub-heading, and each region once more on the nation's sheet.
DISPOSALS = """
National        | National       | TOTAL      | TOTAL            | 6 | 19 | 24
National        | West Midlands  | First-tier | Fine             | 4 | 18 | 22
National        | West Midlands  | TOTAL      | TOTAL            | 6 | 19 | 24
West Midlands   | West Midlands  | First-tier | Fine             | 4 | 18 | 22
West Midlands   | West Midlands  | TOTAL      | TOTAL            | 6 | 19 | 24
West Midlands   | Staffordshire  | First-tier | Fine             | 2 | 10 | 12
West Midlands   | Staffordshire  | Community  |                  | 0 |  0 |  0
West Midlands   | Staffordshire  | Custody    | Section 228      | 2 |  1 |  3
West Midlands   | Staffordshire  | TOTAL      | TOTAL            | 4 | 11 | 15
West Midlands   | Stoke-on-Trent | First-tier | Fine             | 2 |  8 | 10
West Midlands   | Stoke-on-Trent | Custody    | Section 226b (*) | 0 |  0 |
West Midlands   | Stoke-on-Trent | TOTAL      | TOTAL            | 2 |  8 |  9
"""
DISTRICTS = {
    "2015-12-31": [
        ("E07000197", "Stafford", "E22000250", "An earlier partnership"),
        ("E07000999", "Gone", "E22000999", "Gone"),
    ],
    "2016-12-31": [
        ("E07000197", "Stafford", "E22000250", "Stafford"),
        ("E07000144", "Broadland", "E22000219", "Broadland"),
    ],
}
COHORTS = [quarter("2015-10-01", "2015-12-31"), *quarters_of(2016), *quarters_of(2017)]


def entrants(area: str, first: int, values: list[str]) -> list[Figure]:
    """Return a year's quarters of first-time entrants."""
    periods = zip(quarters_of(first), values, strict=True)
    return [Figure("first_time_entrants", area, period, value, "interim") for period, value in periods]


def action_lines() -> list[dict[str, Any]]:
    """Return the action plan's lines as the form has them."""
    marks = [(theme, *mark.split(":")) for theme, plan in ACTIONS.items() for mark in plan.split()]
    return [
        {
            "action_number": str(number),
            "theme": theme,
            "reference": "1",
            "action_label": f"Action {number}",
            "lead": None,
            "term_printed": "M c/f" if term == "Mc" else term,
            "carried_forward": "yes" if term == "Mc" else "no",
            "rag": rag,
            "has_evidence": "yes" if number % 2 else "no",
        }
        for number, (theme, term, rag) in enumerate(marks, start=1)
    ]


def disposal_lines() -> list[dict[str, Any]]:
    """Return the table of disposals as it lands."""
    names = ("sheet_name", "area", "disposal_group", "disposal", "female", "male", "total")
    cells = ([cell.strip() or None for cell in line.split("|")] for line in DISPOSALS.strip().splitlines())
    return [dict(zip(names, line, strict=True)) for line in cells]


def admit_lookups(settings: Settings) -> None:
    """Admit a list of statistical areas, and two of districts of which the later is issued first."""
    area = {"region_code": "E12000005", "region_name": "West Midlands", "authority_code": "E07000197"}
    area |= {"authority_name": "Stafford", "msoa_code": "E02006173", "msoa_name": "Stafford 001"}
    area |= {"lsoa_code": "E01029700", "lsoa_name": "Stafford 001A", "police_force": "Staffordshire"}
    census = ("as_at", "2011-03-27", "2011-03-27")
    areas = ("statistical_area_forces", "opcc_analysts", "2010-11-Q4", "2019-01-10", [area], census)
    admit_register(settings, *areas)
    names = ("district_code", "district_name", "partnership_code", "partnership_name")
    force = {"force_code": "E23000015", "force_name": "Staffordshire", "list_number": "1"}
    for day, districts in reversed(DISTRICTS.items()):
        lines = [dict(zip(names, district, strict=True)) | force for district in districts]
        listed = (
            "community_safety_partnerships",
            "office_for_national_statistics",
            f"{day[:4]}-{int(day[2:4]) + 1}-Q3",
        )
        admit_register(settings, *listed, "2019-01-10", lines, ("as_at", day, day))


@pytest.fixture(scope="module")
def marts(module_warehouse: Settings) -> Settings:
    """A warehouse with the returns behind the printed tables, released."""
    settings = module_warehouse
    for area, (partner, baseline, before, after) in FIRST_TIME_ENTRANTS.items():
        first = [Figure("first_time_entrants", area, year(2015), baseline), *entrants(area, 2016, before)]
        admit_figures(settings, "first_time_entrants", partner, "2016-17-Q4", "2017-04-28", first)
        admit_figures(settings, "first_time_entrants", partner, "2017-18-Q3", "2018-02-10", entrants(area, 2017, after))
    cohorts = [
        Figure(measure, area, period, value if period == COHORTS[0] else "[x]")
        for (measure, area), value in REOFFENDING.items()
        for period in COHORTS
    ]
    admit_figures(settings, "proven_reoffending", "ministry_of_justice", "2015-16-Q3", "2018-04-23", cohorts)
    plan = ("financial_quarter", "2018-01-01", "2018-03-31")
    board = "offender_management_board"
    admit_register(settings, "reducing_offending_action_plan", board, "2017-18-Q4", "2018-04-23", action_lines(), plan)
    budget = {"body": "OPCC", "budget_line": "Total", "financial_year": "2016/17", "status": "provisional"}
    budget |= {"budget_gbp": "10,626", "outturn_gbp": "9,590", "variance_gbp": "1,036", "variance_pct": "9.7"}
    admit_register(settings, "budget_outturn", "opcc_finance", "2016-17-Q4", "2017-06-30", [budget], year(2016))
    award = {
        "fund_code": "people_power_fund",
        "financial_year": "2020/21",
        "funding_round": "1",
        "awarded_gbp": "26,082",
    }
    award |= {"award_count": "16", "status": "final"}
    unknown = award | {"fund_code": "proceeds_of_crime_fund", "awarded_gbp": "[x]", "award_count": "[x]"}
    awards = [award, unknown]
    admit_register(
        settings, "community_fund_awards", "opcc_commissioning", "2020-21-Q4", "2020-10-26", awards, year(2020)
    )
    hedged = [
        Figure("victim_gateway_referrals", "pcc_area", period, value)
        for period, value in zip(quarters_of(2017), ["over 12,000", "14000", "14574", "13000"], strict=True)
    ]
    admit_figures(settings, "victim_gateway", "citizens_advice", "2017-18-Q4", "2018-04-23", hedged)
    since_launch = [
        Figure("new_era_victim_referrals", "pcc_area", ("to_date", "2018-10-01", end), value)
        for end, value in [("2020-03-31", "7000"), ("2020-06-30", "8132")]
    ]
    admit_figures(settings, "new_era", "new_era", "2020-21-Q1", "2020-10-26", since_launch)
    disposals = ("yjb_disposals", "youth_justice_board", "2012-13-Q4", "2014-01-30", disposal_lines(), year(2012))
    admit_register(settings, *disposals)
    admit_lookups(settings)
    release(settings)
    return settings


def outcome_cells(settings: Settings, measure: str, area: str) -> dict[str, tuple[Any, ...]]:
    """Return column label to (computed value, printed text) of one row of the outcome table."""
    found = rows(
        settings,
        f"""select column_label, computed_value, printed_text from mart.rpt_outcome_against_baseline
        where measure_code = '{measure}' and area_code = '{area}' order by column_sort""",
    )
    return {label: (value, printed) for label, value, printed in found}


def test_area_total_is_computed_beside_the_printed_one_when_they_differ(marts: Settings) -> None:
    cells = outcome_cells(marts, "first_time_entrants", "pcc_area")
    computed = {label: None if value is None else int(value) for label, (value, _) in cells.items()}
    assert computed == {
        "Baseline 2015-16": 263,
        "2016-17 Q1": 72,
        "2016-17 Q2": 63,
        "2016-17 Q3": 86,
        "2016-17 Q4": 82,
        "2016-17 annual": 303,
        "2017-18 Q1": 52,
        "2017-18 Q2": 57,
        "2017-18 Q3": 34,
        "2017-18 Q4": None,
        "2017-18 annual": None,
        "RAG": None,
    }
    assert cells["2016-17 annual"][1] == "305"


def test_only_the_printed_area_total_disagrees_in_the_outcome_table(marts: Settings) -> None:
    found = rows(
        marts,
        """select measure_code, area_code, column_label, difference
        from mart.rpt_outcome_against_baseline where not agrees""",
    )
    assert found == [("first_time_entrants", "pcc_area", "2016-17 annual", Decimal(-2))]


def test_every_printed_cell_of_the_outcome_table_stands_beside_a_computed_one(marts: Settings) -> None:
    found = rows(
        marts,
        """select
            (select count(*) from mart.fct_published_figure where table_name = 'outcome_against_baseline'),
            (select count(printed_figure_id) from mart.rpt_outcome_against_baseline)""",
    )
    assert found == [(102, 102)]


def test_reoffending_is_not_available_until_two_years_after_its_quarter(marts: Settings) -> None:
    found = rows(
        marts,
        """select period_key, lag_state_as_sent, available_on::text from mart.fct_outcome
        where measure_code = 'youth_reoffending_rate' and area_code = 'pcc_area' order by period_key""",
    )
    assert found[0] == ("2015-16-Q3", "available", "2017-12-31")
    assert ("2016-17-Q1", "not_available_until", "2018-06-30") in found
    assert {state for _, state, _ in found[2:]} == {"not_available_until"}


def test_figure_that_never_came_is_late_once_its_lag_has_passed(marts: Settings) -> None:
    found = rows(
        marts,
        """select lag_state, count(*) from mart.fct_outcome
        where measure_code = 'youth_reoffending_rate' and value is null and available_on < current_date
        group by lag_state""",
    )
    assert [state for state, _ in found] == ["late"]


def test_simple_mean_of_rates_is_kept_as_sent_and_named_when_no_numerator_was_given(marts: Settings) -> None:
    found = rows(
        marts,
        """select measure_code, value, aggregation, is_baseline_labelled_as_year from mart.fct_outcome
        where area_code = 'pcc_area' and period_key = '2015-16-Q3' order by measure_code""",
    )
    assert found == [
        ("adult_reoffending_rate", Decimal("28.7"), "simple_mean_as_sent", True),
        ("youth_reoffending_rate", Decimal("46.7"), "simple_mean_as_sent", True),
    ]


def test_rate_has_no_annual_figure_when_no_numerator_was_given(marts: Settings) -> None:
    found = rows(
        marts,
        """select distinct value, reason from mart.fct_outcome_year where measure_code = 'adult_reoffending_rate'""",
    )
    assert found == [(None, "rate_without_numerator_and_denominator")]


def test_hedged_quarter_makes_no_annual_total(marts: Settings) -> None:
    found = rows(
        marts,
        """select value, value_to_date, reason from mart.fct_outcome_year
        where measure_code = 'victim_gateway_referrals'""",
    )
    assert found == [(None, None, "quarter_not_exact")]


def test_baseline_of_a_year_is_prorated_for_a_quarter(marts: Settings) -> None:
    found = rows(
        marts,
        """select baseline_value, baseline_quarter_value, change, change_pct, rag_computed from mart.fct_outcome
        where measure_code = 'first_time_entrants' and area_code = 'pcc_area' and period_key = '2017-18-Q3'""",
    )
    assert found == [(Decimal(263), Decimal("65.75"), Decimal("-31.75"), Decimal("-48.3"), "G")]


def test_quarter_without_a_figure_says_why(marts: Settings) -> None:
    found = rows(
        marts,
        """select value, value_flag, lag_state, lag_state_as_sent from mart.fct_outcome
        where measure_code = 'first_time_entrants' and area_code = 'stoke_on_trent' and period_key = '2017-18-Q4'""",
    )
    assert found == [(None, "x", "late", "not_due")]


def test_quarter_is_charted_with_trial_limits_or_says_why_not(marts: Settings) -> None:
    found = rows(
        marts,
        """select distinct
            measure_code, signal, signal_state, signal_reason, process_mean, upper_limit, limit_point_count
        from mart.fct_outcome where area_code = 'pcc_area' and measure_code <> 'adult_reoffending_rate'
        order by 1, 4""",
    )
    # Seven quarters: mean 446 / 7, moving ranges 94 / 6, limits 2.66 of them apart from the mean.
    limits = (Decimal("63.7143"), Decimal("105.3876"), 7)
    nothing = (None, None, None)
    assert found == [
        ("first_time_entrants", None, "not_charted", "no_figure", *nothing),
        ("first_time_entrants", "none", "trial_limits", None, *limits),
        ("victim_gateway_referrals", None, "not_charted", "hedged_value", *nothing),
        ("victim_gateway_referrals", None, "not_charted", "too_few_points", *nothing),
        ("youth_reoffending_rate", None, "not_charted", "no_figure", *nothing),
        ("youth_reoffending_rate", None, "not_charted", "rate_without_denominator", *nothing),
    ]


@pytest.mark.parametrize("aggregate", ["sum", "avg"])
@pytest.mark.parametrize(
    "relation", [f"{schema}.fct_{name}" for schema in ("mart", "history") for name in ("measurement", "outcome")]
)
def test_figures_of_any_kind_cannot_be_added_up_by_mistake(marts: Settings, relation: str, aggregate: str) -> None:
    with pytest.raises(psycopg2.errors.FeatureNotSupported, match="not added up.*\n.*additive_value"):
        rows(marts, f"select measure_code, {aggregate}(value) from {relation} group by measure_code")


def test_only_exact_figures_of_additive_measures_are_added_up(marts: Settings) -> None:
    found = rows(
        marts,
        """select measure_code, count(value), count(additive_value), sum(additive_value) from mart.fct_measurement
        where period_type = 'financial_quarter' and period_start >= '2016-04-01'
        group by measure_code order by measure_code""",
    )
    assert found == [
        ("adult_reoffending_rate", 0, 0, None),
        ("first_time_entrants", 14, 14, Decimal(303 + 52 + 57 + 34)),
        ("victim_gateway_referrals", 4, 3, Decimal(14000 + 14574 + 13000)),
        ("youth_reoffending_rate", 0, 0, None),
    ]


def test_counts_to_date_are_not_added_up_since_each_holds_the_one_before(marts: Settings) -> None:
    found = rows(
        marts,
        """select count(value), count(additive_value) from mart.fct_measurement
        where measure_code = 'new_era_victim_referrals'""",
    )
    assert found == [(2, 0)]


def test_area_says_what_it_lies_in_at_every_level(marts: Settings) -> None:
    found = rows(
        marts,
        """select area_code, district_code, authority_code, force_area_code, region_code, nation_code from mart.dim_area
        where area_code in ('cannock', 'burslem', 'pcc_area', 'england') order by area_code""",
    )
    above = ("pcc_area", "west_midlands", "england")
    assert found == [
        ("burslem", None, "stoke_on_trent", *above),
        ("cannock", "cannock_chase", "staffordshire_county", *above),
        ("england", None, None, None, None, "england"),
        ("pcc_area", None, None, *above),
    ]


def test_measure_says_from_when_to_when_it_has_figures(marts: Settings) -> None:
    found = rows(
        marts, "select first_day::text, last_day::text from mart.dim_measure where measure_code = 'first_time_entrants'"
    )
    assert found == [("2015-04-01", "2017-12-31")]


def test_the_ledger_writes_the_keys_of_periods_as_the_calendar_does(marts: Settings) -> None:
    types = "financial_quarter financial_year as_at calendar_month rolling_year to_date"
    found = rows(
        marts,
        f"""select period_type, first::date, last::date, ledger.period_key(period_type, first::date, last::date)
        from generate_series('1998-01-01', '2051-12-01', interval '1 month') as first
        cross join unnest(string_to_array('{types}', ' ')) as period_type
        cross join lateral (
            select first + case when period_type <> 'as_at' then interval '3 months - 1 day' else '0' end as last
        ) as ends
        where (period_type <> 'financial_quarter' or extract(month from first) % 3 = 1)
            and (period_type <> 'financial_year' or extract(month from first) = 4)""",
        role="owner",
    )
    assert len(found) > 2000
    assert {row for row in found if row[3] != period_key(*row[:3])} == set()


def test_what_is_published_says_its_period_as_the_figures_do(marts: Settings) -> None:
    unjoined = rows(
        marts,
        """select count(*), count(publication.load_id)
        from core.fct_measurement as figure
        left join ledger.publication
            on figure.load_id = publication.load_id
            and figure.period_key = publication.period_key
            and publication.period = daterange(figure.period_start, figure.period_end, '[]')""",
        role="owner",
    )
    ((figures, published),) = unjoined
    assert figures == published > 50


def test_measure_is_read_under_the_plan_of_its_day_or_todays(marts: Settings) -> None:
    found = rows(
        marts,
        """select reading, period_key, outcome_code, outcome_type, value from mart.rpt_outcome_under_plan
        where measure_code = 'first_time_entrants' and area_code = 'pcc_area'
            and period_key in ('2016-17-Q4', '2017-18-Q1')
        order by reading, period_key""",
    )
    assert found == [
        ("plan_of_its_day", "2016-17-Q4", "plan_2013.managing_offenders.1", "whole_priority", Decimal(82)),
        ("plan_of_its_day", "2017-18-Q1", "plan_2017.managing_offenders.1", "strategic_outcome", Decimal(52)),
        ("plan_of_today", "2016-17-Q4", "plan_2021.reduce_offending.1", "commitment", Decimal(82)),
        ("plan_of_today", "2017-18-Q1", "plan_2021.reduce_offending.1", "commitment", Decimal(52)),
    ]


def test_action_overview_counts_rows_and_keeps_the_printed_cell_beside(marts: Settings) -> None:
    found = rows(
        marts,
        """select theme, term, rag, computed_count, printed_text from mart.rpt_action_overview
        where not agrees order by theme, term, rag""",
    )
    assert found == [
        ("Offender Management", "M", "A", 1, None),
        ("Offender Management", "M", "G", 5, "6"),
        ("Prevention", "M", "A", 6, "5"),
        ("Prevention", "M", "G", 4, "5"),
        ("Rehabilitation and Resettlement", "M", "A", 0, "1"),
        ("Rehabilitation and Resettlement", "M", "G", 6, "5"),
        ("Total", "M", "A", 10, "9 c/f"),
        ("Total", "M", "G", 22, "23"),
    ]


def test_action_overview_totals_are_the_whole_plan(marts: Settings) -> None:
    found = rows(
        marts,
        """select rag, computed_count from mart.rpt_action_overview
        where theme = 'Total' and term = 'all' order by rag_order""",
    )
    assert found == [("R", 0), ("A", 12), ("G", 41), ("W", 0), ("all", 53)]


def test_misprinted_term_is_corrected_and_said_when_the_corrections_name_it(marts: Settings) -> None:
    found = rows(
        marts,
        """select term, term_printed, findings from mart.fct_action_status where action_key = 'framework_2015.048'""",
    )
    assert found == [
        ("M", "G", "term printed as G, read as M; implemented without evidence; no responsible lead named")
    ]
    told = rows(marts, "select correction_id, value_as_sent, value_corrected, reason from mart.rpt_correction")
    assert [line[:3] for line in told] == [("ROA-C01", "G", "M")]
    assert "32 medium-term actions" in told[0][3]


def test_line_of_the_action_plan_that_breaks_a_rule_is_a_finding(marts: Settings) -> None:
    found = rows(
        marts,
        """select rule_code, count(*), array_agg(right(action_key, 2) order by action_key), min(remedy)
        from mart.rpt_action_finding where period_key = '2017-18-Q4' group by rule_code order by rule_code""",
    )
    letters = [mark.split(":")[1] for plan in ACTIONS.values() for mark in plan.split()]
    unproven = [f"{number:02}" for number, rag in enumerate(letters, start=1) if rag == "G" and number % 2 == 0]
    assert {rule: actions for rule, _, actions, _ in found if rule != "no_lead"} == {
        "green_without_evidence": unproven,
        "open_past_its_year": ["09", "34"],
        "term_corrected": ["48"],
    }
    assert {rule: count for rule, count, _, _ in found}["no_lead"] == 53
    assert all(remedy for *_, remedy in found)


def test_old_references_of_the_action_plan_lead_to_the_new(marts: Settings) -> None:
    found = rows(
        marts,
        """select reference, proforma_reference, relation from mart.bridge_action_reference
        where reference in (5, 6, 11) or reference is null order by reference, proforma_reference""",
    )
    assert found == [
        (5, "PE7", "merged"),
        (6, "PE7", "merged"),
        (11, "OM1", "split"),
        (11, "PE3", "split"),
        (None, "OM6", "new"),
        (None, "RR3", "new"),
    ]
    lost = rows(
        marts,
        """select reference from mart.dim_action
        except select reference from mart.bridge_action_reference where framework_code = 'framework_2015'""",
    )
    assert lost == []


def test_budget_is_in_pounds_when_the_form_is_in_thousands(marts: Settings) -> None:
    found = rows(marts, "select budget_gbp, outturn_gbp, variance_computed_gbp, is_total from mart.fct_budget_line")
    assert found == [(Decimal(10626000), Decimal(9590000), Decimal(1036000), False)]


def test_award_stands_under_its_fund_and_year(marts: Settings) -> None:
    found = rows(
        marts,
        """select fund_code, period_key, awarded_gbp, awarded_gbp_flag, award_count, award_count_flag, status
        from mart.fct_grant_award order by fund_code""",
    )
    assert found == [
        ("people_power_fund", "2020-21", Decimal(26082), None, 16, None, "final"),
        ("proceeds_of_crime_fund", "2020-21", None, "x", None, "x", "final"),
    ]


def test_disposals_can_be_added_up_though_totals_are_printed_between_them(marts: Settings) -> None:
    cells = "area_code, disposal_group, disposal, female_count, disposal_count, disposal_count_flag"
    found = rows(marts, f"select {cells} from mart.fct_youth_disposal order by line_number")
    assert found == [
        ("staffordshire_county", "First-tier", "Fine", 2, 12, None),
        ("staffordshire_county", "Custody", "Section 228", 2, 3, None),
        ("stoke_on_trent", "First-tier", "Fine", 2, 10, None),
        ("stoke_on_trent", "Custody", "Section 226b (*)", 0, None, "blank"),
    ]
    past = f"select {cells} from history.fct_youth_disposal where known_to is null order by line_number"
    assert rows(marts, past) == found


def test_a_fact_of_one_form_takes_what_was_published_before_it_was_there(marts: Settings) -> None:
    before = rows(marts, "select * from mart.fct_youth_disposal order by line_number")
    with connect(marts, "owner") as connection, connection.cursor() as cursor:
        cursor.execute("delete from core.fct_youth_disposal")
    run_dbt(("run", "--select", "fct_youth_disposal", *releasing.LEAN), marts)
    assert rows(marts, "select * from mart.fct_youth_disposal order by line_number") == before != []


def test_printed_totals_of_disposals_stand_beside_what_their_teams_add_up_to(marts: Settings) -> None:
    found = rows(
        marts,
        """select area_level, area_name, area_code, period_label, printed_count, computed_count, difference_count,
            missing_count, pre_court_count, first_tier_count, custody_count
        from mart.rpt_youth_disposal order by line_number""",
    )
    assert found == [
        ("nation", "National", None, "2012-13", 24, 25, 1, 1, None, 22, 3),
        ("region", "West Midlands", "west_midlands", "2012-13", 24, 25, 1, 1, None, 22, 3),
        ("team", "Staffordshire", "staffordshire_county", "2012-13", 15, 15, 0, 0, None, 12, 3),
        ("team", "Stoke-on-Trent", "stoke_on_trent", "2012-13", 9, 10, 1, 1, None, 10, None),
    ]


def test_a_statistical_area_lies_in_a_district_and_a_force(marts: Settings) -> None:
    found = rows(
        marts,
        """select lsoa_code, msoa_name, authority_code, area_code, region_name, force_name, listed_on::text
        from mart.dim_statistical_area""",
    )
    place = ("E01029700", "Stafford 001", "E07000197", "stafford", "West Midlands", "Staffordshire", "2011-03-27")
    assert found == [place]


def test_the_newest_list_of_districts_takes_the_place_of_the_one_before(marts: Settings) -> None:
    found = rows(
        marts,
        """select district_name, area_code, partnership_name, force_area_code, listed_on::text
        from mart.bridge_district_partnership order by 1""",
    )
    assert found == [
        ("Broadland", None, "Broadland", "pcc_area", "2016-12-31"),
        ("Stafford", "stafford", "Stafford", "pcc_area", "2016-12-31"),
    ]


def test_priority_says_how_many_awards_its_sum_is_without(marts: Settings) -> None:
    found = rows(
        marts,
        """select distinct award_year_gbp, award_missing_count from mart.fct_priority
        where priority_code = 'plan_2017.public_confidence' and period_key like '2020-21-%'""",
    )
    assert found == [(Decimal(26082), 1)]


def test_priority_of_each_plan_has_the_budget_of_its_quarters(marts: Settings) -> None:
    found = rows(
        marts,
        """select distinct priority_code, budget_year_gbp, outturn_year_gbp, outturn_missing_count
        from mart.fct_priority where budget_year_gbp is not null""",
    )
    assert found == [("plan_2013.public_confidence", Decimal(10626000), Decimal(9590000), 0)]


def test_returns_of_the_priorities_add_up_to_the_returns(marts: Settings) -> None:
    of_priorities = rows(
        marts,
        """select
            period_key, sum(return_due_count), sum(return_in_count), sum(return_late_count),
            sum(return_rejected_count)
        from mart.fct_priority group by period_key order by period_key""",
    )
    of_returns = rows(
        marts,
        """select
            period_key, count(*) filter (where due_on <= current_date),
            count(*) filter (where state in ('released', 'restated')),
            count(*) filter (where state not in ('released', 'restated') and due_on < current_date),
            count(*) filter (where state = 'rejected')
        from mart.fct_return join mart.dim_period using (period_key)
        where due_on is not null and period_end between '2013-04-01' and '2024-05-09'
        group by period_key order by period_key""",
    )
    due = {quarter: tuple(counts) for quarter, *counts in of_priorities if sum(counts)}
    assert due == {quarter: tuple(counts) for quarter, *counts in of_returns if sum(counts)}
    assert {quarter[:4] for quarter in due} >= {"2016", "2020"}


def test_periods_go_on_to_the_second_year_after_this_one(marts: Settings) -> None:
    found = rows(
        marts,
        """select count(*) from mart.dim_period
        where period_type = 'financial_quarter'
            and current_date + interval '2 years' between period_start and period_end""",
    )
    assert found == [(1,)]


def test_priority_takes_the_worst_rating_of_its_outcomes(marts: Settings) -> None:
    found = rows(
        marts,
        """select outcome_red_count, outcome_green_count, rag_rolled_up from mart.fct_priority
        where priority_code = 'plan_2013.managing_offenders' and period_key = '2016-17-Q3'""",
    )
    assert found == [(1, 0, "R")]


def test_priority_counts_its_actions_in_the_quarter_that_reported_them(marts: Settings) -> None:
    found = rows(
        marts,
        """select action_amber_count, action_green_count from mart.fct_priority
        where priority_code = 'plan_2017.managing_offenders' and period_key = '2017-18-Q4'""",
    )
    assert found == [(12, 41)]


def test_return_is_released_when_its_load_is_published_and_late_when_none_came(marts: Settings) -> None:
    found = rows(
        marts,
        """select period_key, state from mart.fct_return
        where form = 'first_time_entrants' and partner_code = 'yos_stoke' and period_key in ('2016-17-Q4', '2017-18-Q2')
        order by period_key""",
    )
    assert found == [("2016-17-Q4", "released"), ("2017-18-Q2", "late")]


@pytest.mark.parametrize(
    "relation", ["core.fct_measurement", "core.fct_outcome", "ledger.publication", "landing.indicator"]
)
def test_reader_is_refused_outside_mart_and_history(marts: Settings, relation: str) -> None:
    with pytest.raises(psycopg2.errors.InsufficientPrivilege, match="permission denied for schema"):
        rows(marts, f"select * from {relation}")


def test_reader_sees_every_view_of_mart_and_history(marts: Settings) -> None:
    views = rows(
        marts,
        "select schemaname || '.' || viewname from pg_views where schemaname in ('mart', 'history')",
        role="owner",
    )
    assert len(views) >= 28
    with connect(marts, "reader") as connection, connection.cursor() as cursor:
        for (view,) in views:
            cursor.execute(f"select * from {view} limit 1")


def test_every_view_and_column_of_mart_says_what_it_is(marts: Settings) -> None:
    without = rows(
        marts,
        """select relation.relname, attribute.attname
        from pg_class as relation
        join pg_attribute as attribute on attribute.attrelid = relation.oid and attribute.attnum > 0
        where relation.relnamespace in ('mart'::regnamespace, 'history'::regnamespace)
            and (obj_description(relation.oid) not like 'Grain: %'
                or col_description(relation.oid, attribute.attnum) is null)""",
    )
    assert without == []
