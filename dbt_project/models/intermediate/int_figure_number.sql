-- Grain: one row per source, measure, breakdown, area and period: a number that can stand beside a printed one.
-- The source is the warehouse, with what would be current, or a table of a document, with what is printed there.
with figures as (

    select * from {{ ref('int_figure_range') }}

),

candidates as (

    select * from {{ ref('int_candidate_publication') }}

),

measurements as (

    select * from {{ ref('fct_measurement') }}

),

budget_lines as (

    select * from {{ ref('fct_budget_line') }}

),

awards as (

    select * from {{ ref('fct_grant_award') }}

),

qualifiers as (

    select * from {{ ref('figure_qualifiers') }}

),

-- What is printed, and between which days: of all that was ever measured, no other line can stand beside it.
printed_measures as (

    select
        measure_code,
        breakdown_code,
        min(period_start) as first_day,
        max(period_end) as last_day
    from figures
    group by measure_code, breakdown_code

),

current_measurements as (

    select
        measurements.*,
        -- Two partners may both report a measure for an area; the one that issued last speaks for it.
        row_number() over (
            partition by
                measurements.measure_code,
                measurements.breakdown_code,
                measurements.area_code,
                measurements.period_start,
                measurements.period_end
            order by candidates.issued_on desc, measurements.load_id desc, measurements.line_number desc
        ) as recency
    from measurements
    inner join printed_measures
        on measurements.measure_code = printed_measures.measure_code
        and measurements.breakdown_code = printed_measures.breakdown_code
        and measurements.period_start >= printed_measures.first_day
        and measurements.period_end <= printed_measures.last_day
    inner join candidates
        on measurements.load_id = candidates.load_id
        and measurements.period_type = candidates.period_type
        and daterange(measurements.period_start, measurements.period_end, '[]') = candidates.period
    -- Arrays, so that the index leads to these lines past all others.
    where measurements.measure_code = any(array(select distinct figures.measure_code from figures))
        and measurements.breakdown_code = any(array(select distinct figures.breakdown_code from figures))

),

of_returns as (

    select
        'warehouse' as source,
        'mart.fct_measurement' as made_from,
        'loaded' as check_code,
        'loaded' as link_kind,
        current_measurements.measure_code,
        current_measurements.breakdown_code,
        current_measurements.area_code,
        current_measurements.period_start,
        current_measurements.period_end,
        current_measurements.value,
        {{ figure_low('current_measurements.value', 'qualifiers', figure_step('current_measurements.value')) }} as low,
        {{ figure_high('current_measurements.value', 'qualifiers', figure_step('current_measurements.value')) }} as high
    from current_measurements
    inner join qualifiers on coalesce(current_measurements.value_qualifier, 'exact') = qualifiers.qualifier
    where current_measurements.recency = 1

),

current_budget_lines as (

    select
        budget_lines.*,
        replace(lower(budget_lines.body), ' ', '_') as body_code
    from budget_lines
    inner join candidates
        on budget_lines.load_id = candidates.load_id
        and candidates.period @> budget_lines.period_end

),

budget_wholes as (

    select
        wholes.body_code,
        wholes.period_start,
        wholes.period_end,
        sum(parts.budget_gbp) as budget_gbp,
        sum(parts.outturn_gbp) as outturn_gbp
    from current_budget_lines as wholes
    inner join current_budget_lines as parts
        on wholes.load_id = parts.load_id
        and wholes.period_start = parts.period_start
        and wholes.status = parts.status
        and not parts.is_total
    where wholes.is_total
    group by
        wholes.body_code,
        wholes.period_start,
        wholes.period_end

),

budget_numbers as (

    select
        numbers.check_code,
        numbers.link_kind,
        numbers.measure_code,
        current_budget_lines.body_code,
        current_budget_lines.period_start,
        current_budget_lines.period_end,
        numbers.value,
        numbers.step
    from current_budget_lines
    cross join lateral (
        values
        ('loaded', 'loaded', 'budget', current_budget_lines.budget_gbp, 1000),
        ('loaded', 'loaded', 'outturn', current_budget_lines.outturn_gbp, 1000),
        ('loaded_difference', 'recomputed', 'variance', current_budget_lines.variance_computed_gbp, 1000),
        (
            'loaded_percentage', 'recomputed', 'variance_rate',
            100 * current_budget_lines.variance_computed_gbp / nullif(current_budget_lines.budget_gbp, 0), 0
        )
    ) as numbers (check_code, link_kind, measure_code, value, step)
    union all
    select
        'loaded_total' as check_code,
        'recomputed' as link_kind,
        numbers.measure_code,
        budget_wholes.body_code,
        budget_wholes.period_start,
        budget_wholes.period_end,
        numbers.value,
        1000 as step
    from budget_wholes
    cross join lateral (
        values
        ('budget', budget_wholes.budget_gbp),
        ('outturn', budget_wholes.outturn_gbp)
    ) as numbers (measure_code, value)

),

award_sums as (

    select
        replace(awards.fund_code, '_fund', '') as fund,
        awards.period_start,
        awards.period_end,
        max(awards.round_count) as round_count,
        sum(awards.award_count) as award_count,
        sum(awards.available_gbp) as available_gbp,
        sum(awards.awarded_gbp) as awarded_gbp
    from awards
    inner join candidates
        on awards.load_id = candidates.load_id
        and candidates.period @> awards.period_end
    group by
        awards.fund_code,
        awards.period_start,
        awards.period_end

),

award_numbers as (

    select
        award_sums.fund || numbers.suffix as measure_code,
        award_sums.period_start,
        award_sums.period_end,
        numbers.value
    from award_sums
    cross join lateral (
        values
        ('_fund_available', award_sums.available_gbp),
        ('_awarded', award_sums.awarded_gbp),
        ('_funding', coalesce(award_sums.awarded_gbp, award_sums.available_gbp)),
        ('_grants', award_sums.award_count),
        ('_funding_rounds', award_sums.round_count)
    ) as numbers (suffix, value)

),

-- A figure printed twice in a table counts once.
of_documents as (

    select distinct on (document_code, table_name, measure_code, breakdown_code, area_code, period_start, period_end)
        document_code || ' ' || table_name as source,
        'printed figures of ' || document_code as made_from,
        'printed' as check_code,
        'relation' as link_kind,
        measure_code,
        breakdown_code,
        area_code,
        period_start,
        period_end,
        value,
        low,
        high
    from figures
    where measure_code is not null
        and theme is null
        and period_start is not null
        and status not in ('plan', 'target')
    order by document_code, table_name, measure_code, breakdown_code, area_code, period_start, period_end, printed_figure_id

),

numbers as (

    select * from of_returns
    union all
    select
        'warehouse' as source,
        'mart.fct_budget_line' as made_from,
        check_code,
        link_kind,
        measure_code,
        body_code as breakdown_code,
        'pcc_area' as area_code,
        period_start,
        period_end,
        value,
        value - step / 2.0 as low,
        value + step / 2.0 as high
    from budget_numbers
    where value is not null
    union all
    select
        'warehouse' as source,
        'mart.fct_grant_award' as made_from,
        'loaded' as check_code,
        'loaded' as link_kind,
        measure_code,
        'all' as breakdown_code,
        'pcc_area' as area_code,
        period_start,
        period_end,
        value,
        value as low,
        value as high
    from award_numbers
    where value is not null
    union all
    select * from of_documents

),

final as (

    select
        source,
        made_from,
        check_code,
        link_kind,
        measure_code,
        breakdown_code,
        area_code,
        period_start,
        period_end,
        trim_scale(value) as value,
        trim_scale(low) as low,
        trim_scale(high) as high
    from numbers

)

select * from final
