-- Grain: one row per measure, area and column of the outcome table: baseline, each quarter, each year, RAG.
-- What was printed stands beside what we compute; a difference is a finding, not an overwrite.
-- Of each fact the columns that the table has: PostgreSQL plans what else a view works out, too.
with outcome_quarters as (

    select
        measure_code,
        area_code,
        period_key,
        value,
        rag_computed,
        lag_state,
        lag_state_as_sent,
        available_on,
        baseline_period_key,
        baseline_value,
        is_baseline_labelled_as_year
    from {{ ref('mart_fct_outcome') }}

),

outcome_years as (

    select
        measure_code,
        area_code,
        period_key,
        value,
        rag_computed,
        reason
    from {{ ref('mart_fct_outcome_year') }}

),

periods as (

    select * from {{ ref('dim_period') }}

),

measures as (

    select * from {{ ref('dim_measure') }}

),

areas as (

    select * from {{ ref('dim_area') }}

),

printed as (

    select * from {{ ref('fct_published_figure') }}
    where table_name = 'outcome_against_baseline'

),

with_baseline as (

    select distinct
        measure_code,
        area_code,
        baseline_period_key,
        baseline_value,
        is_baseline_labelled_as_year
    from outcome_quarters
    where baseline_period_key is not null

),

baseline_cells as (

    select
        with_baseline.measure_code,
        with_baseline.area_code,
        'baseline' as column_type,
        with_baseline.baseline_period_key as period_key,
        'Baseline ' || periods.financial_year as column_label,
        0 as column_sort,
        with_baseline.baseline_value as computed_value,
        null::text as computed_rag,
        'available' as lag_state,
        'available' as lag_state_as_sent,
        null::text as reason,
        null::date as available_on,
        with_baseline.is_baseline_labelled_as_year
    from with_baseline
    inner join periods on with_baseline.baseline_period_key = periods.period_key

),

quarter_cells as (

    select
        outcome_quarters.measure_code,
        outcome_quarters.area_code,
        'quarter' as column_type,
        outcome_quarters.period_key,
        periods.period_label as column_label,
        periods.financial_quarter_sort as column_sort,
        outcome_quarters.value as computed_value,
        outcome_quarters.rag_computed as computed_rag,
        outcome_quarters.lag_state,
        outcome_quarters.lag_state_as_sent,
        null::text as reason,
        outcome_quarters.available_on,
        false as is_baseline_labelled_as_year,
        periods.financial_year,
        periods.financial_year_sort
    from outcome_quarters
    inner join with_baseline
        on outcome_quarters.measure_code = with_baseline.measure_code
        and outcome_quarters.area_code = with_baseline.area_code
    inner join periods on outcome_quarters.period_key = periods.period_key
    inner join periods as baseline_periods on with_baseline.baseline_period_key = baseline_periods.period_key
    where periods.financial_year_sort > baseline_periods.financial_year_sort

),

years_of_quarters as (

    select distinct
        measure_code,
        area_code,
        financial_year as period_key,
        financial_year_sort
    from quarter_cells

),

first_missing as (

    select distinct on (measure_code, area_code, financial_year)
        measure_code,
        area_code,
        financial_year as period_key,
        lag_state,
        lag_state_as_sent
    from quarter_cells
    where lag_state <> 'available'
    order by measure_code, area_code, financial_year, column_sort

),

year_cells as (

    select
        years_of_quarters.measure_code,
        years_of_quarters.area_code,
        'annual' as column_type,
        years_of_quarters.period_key,
        years_of_quarters.period_key || ' annual' as column_label,
        years_of_quarters.financial_year_sort * 10 + 5 as column_sort,
        outcome_years.value as computed_value,
        outcome_years.rag_computed as computed_rag,
        -- A year waits for the first of its quarters that has no figure.
        case when outcome_years.value is not null then 'available' else first_missing.lag_state end as lag_state,
        case when outcome_years.value is not null then 'available' else first_missing.lag_state_as_sent end as lag_state_as_sent,
        coalesce(outcome_years.reason, 'quarter_not_available') as reason,
        null::date as available_on,
        false as is_baseline_labelled_as_year
    from years_of_quarters
    left join outcome_years
        on years_of_quarters.measure_code = outcome_years.measure_code
        and years_of_quarters.area_code = outcome_years.area_code
        and years_of_quarters.period_key = outcome_years.period_key
    left join first_missing
        on years_of_quarters.measure_code = first_missing.measure_code
        and years_of_quarters.area_code = first_missing.area_code
        and years_of_quarters.period_key = first_missing.period_key

),

-- The rating of the row as a whole: its last year that can be rated, to date.
rag_cells as (

    select distinct on (outcome_years.measure_code, outcome_years.area_code)
        outcome_years.measure_code,
        outcome_years.area_code,
        'rag' as column_type,
        null::text as period_key,
        'RAG' as column_label,
        99999 as column_sort,
        null::numeric as computed_value,
        outcome_years.rag_computed as computed_rag,
        case when outcome_years.rag_computed is not null then 'available' end as lag_state,
        null::text as lag_state_as_sent,
        case when outcome_years.rag_computed is null then 'not_rated' end as reason,
        null::date as available_on,
        false as is_baseline_labelled_as_year
    from outcome_years
    inner join with_baseline
        on outcome_years.measure_code = with_baseline.measure_code
        and outcome_years.area_code = with_baseline.area_code
    order by
        outcome_years.measure_code,
        outcome_years.area_code,
        outcome_years.rag_computed is null,
        outcome_years.period_key desc

),

cells as (

    select * from baseline_cells
    union all
    select
        measure_code,
        area_code,
        column_type,
        period_key,
        column_label,
        column_sort,
        computed_value,
        computed_rag,
        lag_state,
        lag_state_as_sent,
        reason,
        available_on,
        is_baseline_labelled_as_year
    from quarter_cells
    union all
    select * from year_cells
    union all
    select * from rag_cells

),

final as (

    select
        cells.measure_code,
        measures.measure_name,
        cells.area_code,
        areas.area_name,
        cells.column_type,
        cells.period_key,
        cells.column_label,
        cells.column_sort,
        cells.computed_value,
        cells.computed_rag,
        cells.lag_state,
        cells.lag_state_as_sent,
        cells.reason,
        cells.available_on,
        cells.is_baseline_labelled_as_year,
        printed.printed_figure_id,
        printed.label_printed,
        printed.printed_text,
        printed.printed_value,
        cells.computed_value - printed.printed_value as difference,
        case
            when printed.printed_figure_id is null then null
            when cells.column_type = 'rag' then coalesce(cells.computed_rag = printed.printed_text, false)
            else cells.computed_value is not distinct from printed.printed_value
        end as agrees
    from cells
    inner join measures on cells.measure_code = measures.measure_code
    inner join areas on cells.area_code = areas.area_code
    left join printed
        on cells.measure_code = printed.measure_code
        and cells.area_code = printed.area_code
        and cells.column_type = printed.column_type
        and cells.period_key is not distinct from printed.period_key

)

select * from final
