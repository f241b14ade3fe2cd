-- Grain: one row per outcome measure, area and financial year with any figure. Four exact quarters of a count make a year;
-- four quarters of a rate make one only with numerators and denominators; otherwise the year is as sent, or is null with a reason.
with outcome_values as (

    select * from {{ ref('int_outcome_value') }}

),

measures as (

    select * from {{ ref('dim_measure') }}

),

quarters as (

    select
        measure_code,
        area_code,
        {{ financial_year_start('period_start') }} as year_start,
        min(form) as form,
        count(*) filter (where value is not null) as quarter_count,
        count(*) filter (where value is not null and value_qualifier = 'exact') as exact_quarter_count,
        count(*) filter (where numerator is not null and denominator is not null) as pooled_quarter_count,
        sum(value) filter (where value_qualifier = 'exact') as value_sum,
        sum(numerator) as numerator_sum,
        sum(denominator) as denominator_sum,
        {{ weakest_status('case when value is not null then status end') }} as status
    from outcome_values
    where period_type = 'financial_quarter'
    group by measure_code, area_code, {{ financial_year_start('period_start') }}

),

quarter_loads as (

    select
        outcome_values.measure_code,
        outcome_values.area_code,
        {{ financial_year_start('outcome_values.period_start') }} as year_start,
        count(distinct part.load_id) as part_load_count
    from outcome_values
    cross join lateral unnest(outcome_values.load_ids) as part (load_id)
    where outcome_values.period_type = 'financial_quarter'
        and outcome_values.value is not null
    group by
        outcome_values.measure_code,
        outcome_values.area_code,
        {{ financial_year_start('outcome_values.period_start') }}

),

years_sent as (

    select
        measure_code,
        area_code,
        {{ financial_year_start('period_start') }} as year_start,
        form,
        value,
        value_qualifier,
        aggregation,
        status,
        load_ids,
        load_id,
        sheet,
        line_number
    from outcome_values
    where period_type = 'financial_year'

),

joined as (

    select
        measure_code,
        area_code,
        year_start,
        coalesce(quarters.form, years_sent.form) as form,
        measures.is_additive_over_time,
        coalesce(quarters.quarter_count, 0)::integer as quarter_count,
        coalesce(quarters.exact_quarter_count, 0) as exact_quarter_count,
        coalesce(measures.aggregation = 'pooled_rate' and quarters.pooled_quarter_count = 4, false) as can_be_pooled,
        coalesce(measures.is_additive_over_time and quarters.exact_quarter_count = 4, false) as can_be_summed,
        quarters.value_sum,
        quarters.numerator_sum,
        quarters.denominator_sum,
        {{ rate_factor('measures.unit') }} as rate_factor,
        quarters.status as status_of_quarters,
        quarter_loads.part_load_count as load_count_of_quarters,
        years_sent.value as value_sent,
        years_sent.value_qualifier as qualifier_sent,
        years_sent.aggregation as aggregation_sent,
        years_sent.status as status_sent,
        cardinality(years_sent.load_ids) as load_count_sent,
        years_sent.load_id,
        years_sent.sheet,
        years_sent.line_number
    from quarters
    full join years_sent using (measure_code, area_code, year_start)
    left join quarter_loads using (measure_code, area_code, year_start)
    inner join measures using (measure_code)

),

final as (

    select
        measure_code,
        area_code,
        year_start,
        form,
        quarter_count,
        case
            when can_be_summed then value_sum
            when can_be_pooled then trim_scale(rate_factor * numerator_sum / nullif(denominator_sum, 0))
            else value_sent
        end as value,
        case when can_be_summed or can_be_pooled then 'exact' else coalesce(qualifier_sent, 'exact') end as value_qualifier,
        case when can_be_pooled then numerator_sum end as numerator,
        case when can_be_pooled then denominator_sum end as denominator,
        case when is_additive_over_time and exact_quarter_count = quarter_count then value_sum end as value_to_date,
        case
            when can_be_summed then 'sum_of_quarters'
            when can_be_pooled then 'pooled'
            when value_sent is not null then aggregation_sent
            else 'none'
        end as aggregation,
        case
            when can_be_summed then 'four_exact_quarters'
            when can_be_pooled then 'four_quarters_pooled'
            when value_sent is not null then 'year_as_sent'
            when not is_additive_over_time then 'rate_without_numerator_and_denominator'
            when exact_quarter_count < quarter_count then 'quarter_not_exact'
            else 'quarter_not_available'
        end as reason,
        case
            when can_be_summed or can_be_pooled then status_of_quarters
            when value_sent is not null then status_sent
            else status_of_quarters
        end as status,
        case
            when can_be_summed or can_be_pooled then load_count_of_quarters
            when value_sent is not null then load_count_sent
            else load_count_of_quarters
        end::integer as part_load_count,
        case when value_sent is not null and not can_be_summed and not can_be_pooled then load_id end as load_id,
        case when value_sent is not null and not can_be_summed and not can_be_pooled then sheet end as sheet,
        case when value_sent is not null and not can_be_summed and not can_be_pooled then line_number end as line_number
    from joined

)

select * from final
