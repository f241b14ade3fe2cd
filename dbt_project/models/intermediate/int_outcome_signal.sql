-- Grain: one row per outcome measure, area and financial quarter that a return speaks of, with what an XmR chart says of it.
-- A chart starts anew only where series_breaks records it with a reason. A quarter without a figure is no point: no moving
-- range spans it, a run must be of quarters on end, and missing_before_count says at the next point what is missing.
with outcome_values as (

    select * from {{ ref('int_outcome_value') }}
    where period_type = 'financial_quarter'

),

measures as (

    select * from {{ ref('dim_measure') }}

),

series_breaks as (

    select * from {{ ref('series_breaks') }}

),

limit_settings as (

    select * from {{ ref('spc_limits') }}

),

rules as (

    select * from {{ ref('spc_rules') }}

),

judged as (

    select
        outcome_values.measure_code,
        outcome_values.area_code,
        outcome_values.period_start,
        outcome_values.value,
        {{ quarter_index('outcome_values.period_start') }} as quarter_index,
        case measures.direction when 'lower_is_better' then -1 when 'higher_is_better' then 1 end as better_sign,
        case
            when outcome_values.value is null then 'no_figure'
            when outcome_values.value_qualifier <> 'exact' then 'hedged_value'
            when {{ is_rate('measures.unit') }} and (outcome_values.numerator is null or outcome_values.denominator is null)
                then 'rate_without_denominator'
        end as not_charted_because,
        newest_break.breaks_on as chart_from,
        newest_break.reason as rebase_reason
    from outcome_values
    inner join measures on outcome_values.measure_code = measures.measure_code
    left join lateral (
        select
            series_breaks.breaks_on,
            series_breaks.reason
        from series_breaks
        where series_breaks.measure_code = outcome_values.measure_code
            and series_breaks.area_code in (outcome_values.area_code, '*')
            and series_breaks.breaks_on <= outcome_values.period_start
        order by series_breaks.breaks_on desc
        limit 1
    ) as newest_break on true

),

points as (

    select
        judged.*,
        row_number() over chart as point_number,
        judged.quarter_index - lag(judged.quarter_index) over chart - 1 as missing_before_count,
        case
            when judged.quarter_index = lag(judged.quarter_index) over chart + 1
                then judged.value - lag(judged.value) over chart
        end as step
    from judged
    where judged.not_charted_because is null
    window chart as (
        partition by judged.measure_code, judged.area_code, judged.chart_from
        order by judged.period_start
    )

),

-- Fixed on a chart's first points; with fewer they are trial limits, and move with each new point.
limits as (

    select
        points.measure_code,
        points.area_code,
        points.chart_from,
        avg(points.value) as process_mean,
        avg(abs(points.step)) as mean_moving_range,
        count(*)::integer as limit_point_count,
        limit_settings.limit_multiplier * avg(abs(points.step)) as reach,
        count(*) >= limit_settings.limit_point_count as is_settled
    from points
    cross join limit_settings
    where points.point_number <= limit_settings.limit_point_count
    group by
        points.measure_code,
        points.area_code,
        points.chart_from,
        limit_settings.limit_multiplier,
        limit_settings.limit_point_count,
        limit_settings.least_point_count
    having count(*) >= limit_settings.least_point_count and count(points.step) > 0

),

placed as (

    select
        points.measure_code,
        points.area_code,
        points.chart_from,
        points.period_start,
        points.quarter_index,
        points.step,
        points.value - limits.process_mean as deviation,
        limits.reach
    from points
    inner join limits
        on points.measure_code = limits.measure_code
        and points.area_code = limits.area_code
        and points.chart_from is not distinct from limits.chart_from

),

-- A rule looks back from the point that completes its pattern, and speaks of that point.
fired as (

    select
        placed.measure_code,
        placed.area_code,
        placed.period_start,
        rules.rule_code,
        rules.rule_order,
        sign(case when rules.rule_kind = 'trend' then placed.step else placed.deviation end) as side
    from placed
    cross join rules
    inner join placed as looked_at
        on placed.measure_code = looked_at.measure_code
        and placed.area_code = looked_at.area_code
        and placed.chart_from is not distinct from looked_at.chart_from
        and looked_at.quarter_index between placed.quarter_index - rules.window_count + 1 and placed.quarter_index
    group by
        placed.measure_code,
        placed.area_code,
        placed.period_start,
        placed.quarter_index,
        placed.step,
        placed.deviation,
        placed.reach,
        rules.rule_code,
        rules.rule_order,
        rules.rule_kind,
        rules.point_count,
        rules.window_count,
        rules.beyond_share
    having
        (
            rules.rule_kind = 'beyond'
            and abs(placed.deviation) > rules.beyond_share * placed.reach
            and count(*) filter (
                where sign(placed.deviation) * looked_at.deviation > rules.beyond_share * placed.reach
            ) >= rules.point_count
        )
        or (
            rules.rule_kind = 'trend'
            and count(*) filter (
                where looked_at.quarter_index > placed.quarter_index - rules.window_count + 1
                    and sign(placed.step) * looked_at.step > 0
            ) = rules.point_count - 1
        )

),

strongest as (

    select distinct on (measure_code, area_code, period_start)
        measure_code,
        area_code,
        period_start,
        rule_code,
        side
    from fired
    order by measure_code, area_code, period_start, rule_order

),

final as (

    select
        judged.measure_code,
        judged.area_code,
        judged.period_start,
        case
            when limits.process_mean is null then null
            when strongest.rule_code is null then 'none'
            when judged.better_sign is null then 'change'
            when strongest.side = judged.better_sign then 'improvement'
            else 'concern'
        end as signal,
        strongest.rule_code as signal_rule,
        case
            when limits.process_mean is null then 'not_charted'
            when limits.is_settled then 'settled_limits'
            else 'trial_limits'
        end as signal_state,
        coalesce(judged.not_charted_because, case when limits.process_mean is null then 'too_few_points' end) as signal_reason,
        round(limits.process_mean, 4) as process_mean,
        round(limits.mean_moving_range, 4) as mean_moving_range,
        round(limits.process_mean - limits.reach, 4) as lower_limit,
        round(limits.process_mean + limits.reach, 4) as upper_limit,
        limits.limit_point_count,
        points.missing_before_count,
        judged.chart_from,
        judged.rebase_reason
    from judged
    left join points
        on judged.measure_code = points.measure_code
        and judged.area_code = points.area_code
        and judged.period_start = points.period_start
    left join limits
        on points.measure_code = limits.measure_code
        and points.area_code = limits.area_code
        and points.chart_from is not distinct from limits.chart_from
    left join strongest
        on judged.measure_code = strongest.measure_code
        and judged.area_code = strongest.area_code
        and judged.period_start = strongest.period_start

)

select * from final
