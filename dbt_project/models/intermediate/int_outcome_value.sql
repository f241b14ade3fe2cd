-- Grain: one row per outcome measure, area and period, with the areas that are made up of others.
-- A count is summed when every part is there and exact; a rate is pooled when every part has numerator and denominator;
-- unrounded; anything else is taken as sent, and a simple mean, sent or ours, is named as one.
with sent as (

    select * from {{ ref('int_outcome_measurement') }}

),

measures as (

    select * from {{ ref('dim_measure') }}

),

areas as (

    select * from {{ ref('dim_area') }}

),

periods as (

    select distinct
        period_type,
        period_start,
        period_end
    from sent

),

-- The parts that a whole had at the end of the period; areas come and go.
parts_of_period as (

    select
        areas.area_code,
        areas.rolls_up_to,
        periods.period_type,
        periods.period_start,
        periods.period_end
    from areas
    inner join periods
        on periods.period_end between coalesce(areas.valid_from, '-infinity') and coalesce(areas.valid_to, 'infinity')
    where areas.rolls_up_to is not null

),

wholes as (

    select
        rolls_up_to as area_code,
        period_type,
        period_start,
        period_end,
        count(*) as expected_part_count
    from parts_of_period
    group by rolls_up_to, period_type, period_start, period_end

),

parts as (

    select
        sent.measure_code,
        parts_of_period.rolls_up_to as area_code,
        sent.period_type,
        sent.period_start,
        sent.period_end,
        min(sent.form) as form,
        count(*) as part_count,
        count(*) filter (where sent.value is not null and sent.value_qualifier = 'exact') as exact_part_count,
        count(*) filter (where sent.numerator is not null and sent.denominator is not null) as pooled_part_count,
        sum(sent.value) as value_sum,
        avg(sent.value) as value_mean,
        sum(sent.numerator) as numerator_sum,
        sum(sent.denominator) as denominator_sum,
        min(sent.value_flag) filter (where sent.value is null) as value_flag,
        -- The whole is no firmer than its least firm part.
        {{ weakest_status('sent.status') }} as status,
        max(sent.issued_on) as issued_on,
        array_agg(distinct sent.load_id) as load_ids
    from sent
    inner join parts_of_period
        on sent.area_code = parts_of_period.area_code
        and sent.period_type = parts_of_period.period_type
        and sent.period_start = parts_of_period.period_start
        and sent.period_end = parts_of_period.period_end
    group by sent.measure_code, parts_of_period.rolls_up_to, sent.period_type, sent.period_start, sent.period_end

),

judged_parts as (

    select
        parts.*,
        {{ rate_factor('measures.unit') }} as rate_factor,
        measures.is_additive_over_area and parts.exact_part_count = wholes.expected_part_count as can_be_summed,
        measures.aggregation = 'pooled_rate' and parts.pooled_part_count = wholes.expected_part_count as can_be_pooled,
        not measures.is_additive_over_area
        and parts.exact_part_count = wholes.expected_part_count as has_mean,
        {{ is_rate('measures.unit') }} as is_rate
    from parts
    inner join wholes
        on parts.area_code = wholes.area_code
        and parts.period_type = wholes.period_type
        and parts.period_start = wholes.period_start
        and parts.period_end = wholes.period_end
    inner join measures on parts.measure_code = measures.measure_code

),

joined as (

    select
        measure_code,
        area_code,
        period_type,
        period_start,
        period_end,
        coalesce(sent.form, judged_parts.form) as form,
        coalesce(judged_parts.can_be_summed, false) as can_be_summed,
        coalesce(judged_parts.can_be_pooled, false) as can_be_pooled,
        -- 46.7 is how a mean of 46.75 was printed: cut, not rounded.
        coalesce(judged_parts.has_mean and abs(sent.value - judged_parts.value_mean) <= 0.05, false) as is_simple_mean,
        sent.load_id is not null as was_sent,
        coalesce(judged_parts.has_mean and judged_parts.is_rate and sent.load_id is null, false) as can_only_be_averaged,
        sent.value,
        sent.value_qualifier,
        sent.value_flag,
        sent.numerator,
        sent.denominator,
        sent.status,
        sent.declared_rag,
        sent.issued_on,
        sent.load_id,
        sent.sheet,
        sent.line_number,
        judged_parts.value_sum,
        judged_parts.value_mean,
        judged_parts.numerator_sum,
        judged_parts.denominator_sum,
        judged_parts.rate_factor,
        judged_parts.load_ids,
        judged_parts.value_flag as part_value_flag,
        judged_parts.status as part_status,
        judged_parts.issued_on as part_issued_on
    from sent
    full join judged_parts
        using (measure_code, area_code, period_type, period_start, period_end)

),

final as (

    select
        measure_code,
        area_code,
        period_type,
        period_start,
        period_end,
        form,
        case
            when can_be_summed then value_sum
            when can_be_pooled then trim_scale(rate_factor * numerator_sum / nullif(denominator_sum, 0))
            when can_only_be_averaged then trim_scale(value_mean)
            else value
        end as value,
        case when can_be_summed or can_be_pooled then 'exact' else coalesce(value_qualifier, 'exact') end as value_qualifier,
        case
            when can_be_summed or can_be_pooled or can_only_be_averaged then null
            when was_sent then value_flag
            else part_value_flag
        end as value_flag,
        case when can_be_pooled then numerator_sum else numerator end as numerator,
        case when can_be_pooled then denominator_sum else denominator end as denominator,
        case when can_be_summed or can_be_pooled or not was_sent then part_status else status end as status,
        declared_rag,
        case
            when can_be_summed then 'sum_of_areas'
            when can_be_pooled then 'pooled'
            when is_simple_mean then 'simple_mean_as_sent'
            when was_sent then 'as_sent'
            when can_only_be_averaged then 'simple_mean'
            else 'none'
        end as aggregation,
        coalesce(issued_on, part_issued_on) as issued_on,
        case when can_be_summed or can_be_pooled or can_only_be_averaged then load_ids when was_sent then array[load_id] end as load_ids,
        case when can_be_summed or can_be_pooled then null else load_id end as load_id,
        case when can_be_summed or can_be_pooled then null else sheet end as sheet,
        case when can_be_summed or can_be_pooled then null else line_number end as line_number
    from joined

)

select * from final
