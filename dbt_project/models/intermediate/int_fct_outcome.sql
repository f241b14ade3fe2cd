-- Grain: one row per release, outcome measure, area and financial quarter, from the baseline on to the end of the last year with a figure.
-- Of the release being built; fct_outcome keeps them.
{{ config(materialized='view') }}

with release as (

    select * from {{ ref('int_release') }}

),

outcome_values as (

    select * from {{ ref('int_outcome_value') }}

),

outcome_baselines as (

    select * from {{ ref('int_outcome_baseline') }}

),

baselines as (

    select * from {{ ref('baselines') }}

),

measures as (

    select * from {{ ref('dim_measure') }}

),

periods as (

    select * from {{ ref('dim_period') }}

),

rules as (

    select * from {{ ref('int_rag_rule') }}

),

flags as (

    select * from {{ ref('value_flags') }}

),

signals as (

    select * from {{ ref('int_outcome_signal') }}

),

targets as (

    select * from {{ ref('targets') }}

),

services as (

    select * from {{ ref('services') }}

),

due_dates as (

    select
        form,
        reporting_quarter,
        max(due_on) as due_on
    from {{ source('ledger', 'expected_return') }}
    group by form, reporting_quarter

),

quarter_values as (

    select * from outcome_values
    where period_type = 'financial_quarter'

),

spans as (

    select
        quarter_values.measure_code,
        quarter_values.area_code,
        min(quarter_values.form) as form,
        least(min(quarter_values.period_start), min(baselines.reported_from)) as first_day,
        max(quarter_values.period_end) as last_day
    from quarter_values
    left join baselines on quarter_values.measure_code = baselines.measure_code
    group by quarter_values.measure_code, quarter_values.area_code

),

-- Every area of a measure is followed to the same last year, so that a table of them has no holes.
last_years as (

    select
        measure_code,
        max({{ financial_year_start('last_day') }}) as last_year
    from spans
    group by measure_code

),

spine as (

    select
        spans.measure_code,
        spans.area_code,
        spans.form,
        periods.period_key,
        periods.period_start,
        periods.period_end
    from spans
    inner join last_years on spans.measure_code = last_years.measure_code
    inner join periods
        on periods.period_type = 'financial_quarter'
        and periods.period_start >= spans.first_day
        and periods.financial_year_sort <= last_years.last_year

),

-- A target for a quarter, or for the year that the quarter is in; of two, the narrower.
quarter_targets as (

    select distinct on (spine.measure_code, spine.area_code, spine.period_key)
        spine.measure_code,
        spine.area_code,
        spine.period_key,
        {{ period_key('targets.period_type', 'targets.period_start', 'targets.period_end') }} as target_period_key,
        targets.target_value,
        case
            when measures.is_additive_over_time and targets.period_type = 'financial_year' then trim_scale(targets.target_value / 4)
            else targets.target_value
        end as target_quarter_value
    from spine
    inner join measures on spine.measure_code = measures.measure_code
    inner join targets
        on spine.measure_code = targets.measure_code
        and spine.area_code = targets.area_code
        and spine.period_start >= targets.period_start
        and spine.period_end <= targets.period_end
    order by spine.measure_code, spine.area_code, spine.period_key, targets.period_end - targets.period_start

),

compared as (

    select
        release.release_id,
        spine.measure_code,
        spine.area_code,
        spine.period_key,
        spine.period_start,
        spine.period_end,
        quarter_values.value,
        quarter_values.value_qualifier,
        quarter_values.value_flag,
        quarter_values.numerator,
        quarter_values.denominator,
        quarter_values.status,
        quarter_values.declared_rag,
        coalesce(quarter_values.aggregation, 'none') as aggregation,
        quarter_values.load_id,
        quarter_values.sheet,
        quarter_values.line_number,
        cardinality(quarter_values.load_ids) as part_load_count,
        quarter_values.issued_on as sent_on,
        release.as_of,
        outcome_baselines.baseline_period_key,
        outcome_baselines.baseline_value,
        outcome_baselines.baseline_quarter_value,
        coalesce(outcome_baselines.is_baseline_labelled_as_year, false) as is_baseline_labelled_as_year,
        quarter_targets.target_period_key,
        quarter_targets.target_value,
        quarter_targets.target_quarter_value,
        case
            when quarter_values.value_qualifier = 'exact' then quarter_values.value - quarter_targets.target_quarter_value
        end as from_target,
        case
            when quarter_values.value_qualifier = 'exact' then quarter_values.value - outcome_baselines.baseline_quarter_value
        end as change,
        case
            when measures.lag_months > 0 then (spine.period_end + measures.lag_months * interval '1 month')::date
        end as lagged_until,
        due_dates.due_on,
        flags.lag_state as flag_state,
        -- A service that has ended or not begun owes nothing; a form without a service is always owed.
        not exists (select 1 from services where services.form = spine.form)
        or exists (
            select 1 from services
            where services.form = spine.form
                and services.commissioned_from <= spine.period_end
                and coalesce(services.commissioned_to, 'infinity') >= spine.period_start
        ) as is_commissioned,
        rules.better_sign,
        rules.green_at_least_pct,
        rules.amber_at_least_pct
    from spine
    cross join release
    inner join measures on spine.measure_code = measures.measure_code
    inner join rules on spine.measure_code = rules.measure_code
    left join quarter_values
        on spine.measure_code = quarter_values.measure_code
        and spine.area_code = quarter_values.area_code
        and spine.period_start = quarter_values.period_start
    left join outcome_baselines
        on spine.measure_code = outcome_baselines.measure_code
        and spine.area_code = outcome_baselines.area_code
    left join quarter_targets
        on spine.measure_code = quarter_targets.measure_code
        and spine.area_code = quarter_targets.area_code
        and spine.period_key = quarter_targets.period_key
    left join due_dates
        on spine.form = due_dates.form
        and spine.period_key = due_dates.reporting_quarter
    left join flags on quarter_values.value_flag = flags.value_flag

),

measured as (

    select
        compared.*,
        -- Rated as it is; rounded only to be shown, or 5.04 % would pass for 5.
        100 * compared.change / nullif(compared.baseline_quarter_value, 0) as change_pct
    from compared

),

final as (

    select
        release_id,
        measure_code,
        area_code,
        period_key,
        case when aggregation in ('pooled', 'simple_mean') then round(value, 1) else value end as value,
        case when value is not null then value_qualifier end as value_qualifier,
        value_flag,
        numerator,
        denominator,
        baseline_period_key,
        baseline_value,
        baseline_quarter_value,
        is_baseline_labelled_as_year,
        case when aggregation in ('pooled', 'simple_mean') then round(change, 1) else change end as change,
        round(change_pct, 1) as change_pct,
        case
            when change = 0 then 'unchanged'
            when better_sign is null then case when change > 0 then 'up' when change < 0 then 'down' end
            when better_sign * change > 0 then 'better'
            when better_sign * change < 0 then 'worse'
        end as change_direction,
        target_period_key,
        target_value,
        target_quarter_value,
        better_sign * from_target >= 0 as is_target_met,
        status,
        {{ lag_state('as_of') }} as lag_state,
        case when sent_on is not null then {{ lag_state('sent_on') }} end as lag_state_as_sent,
        coalesce(lagged_until, due_on) as available_on,
        {{ rag_against_baseline('measured') }} as rag_computed,
        declared_rag as rag_declared,
        signals.signal,
        signals.signal_rule,
        coalesce(signals.signal_state, 'not_charted') as signal_state,
        -- A quarter that no return speaks of is not in the chart at all.
        case when signals.signal_state is null then 'no_figure' else signals.signal_reason end as signal_reason,
        signals.process_mean,
        signals.mean_moving_range,
        signals.lower_limit,
        signals.upper_limit,
        signals.limit_point_count,
        signals.missing_before_count,
        signals.chart_from as charted_from,
        signals.rebase_reason,
        aggregation,
        load_id,
        sheet,
        line_number,
        part_load_count
    from measured
    left join signals using (measure_code, area_code, period_start)

)

select * from final
