-- Grain: one row per relation between printed figures, with the range of numbers that the others leave for its figure.
with relations as (

    select * from {{ ref('figure_relations') }}

),

figures as (

    select * from {{ ref('int_figure_range') }}

),

parts as (

    select
        relations.printed_figure_id,
        relations.check_code,
        relations.rule,
        relations.role,
        relations.part_number,
        coalesce(relations.part_figure_id, relations.part_label) as part_name,
        coalesce(figures.value, relations.part_constant) as value,
        coalesce(figures.low, relations.part_constant) as low,
        coalesce(figures.high, relations.part_constant) as high,
        figures.period_start,
        figures.period_end
    from relations
    left join figures on relations.part_figure_id = figures.printed_figure_id

),

added as (

    select
        printed_figure_id,
        check_code,
        rule,
        count(*)::integer as part_count,
        string_agg(role || ' ' || part_name, ', ' order by part_number) as made_from,
        sum(value) filter (where role = 'part') as part_sum,
        coalesce(sum(value) filter (where role = 'minus'), 0) as minus_sum,
        sum(low) filter (where role = 'part') as part_low,
        sum(high) filter (where role = 'part') as part_high,
        coalesce(sum(low) filter (where role = 'minus'), 0) as minus_low,
        coalesce(sum(high) filter (where role = 'minus'), 0) as minus_high,
        exp(sum(ln(case when value > 0 then value end)) filter (where role = 'factor')) as factor_product,
        sum(value) filter (where role = 'numerator') as numerator,
        sum(low) filter (where role = 'numerator') as numerator_low,
        sum(high) filter (where role = 'numerator') as numerator_high,
        sum(value) filter (where role = 'denominator') as denominator,
        sum(low) filter (where role = 'denominator') as denominator_low,
        sum(high) filter (where role = 'denominator') as denominator_high,
        exp(sum(ln(case when value > 0 then value end)) filter (where role = 'denominator')) as divisor,
        exp(sum(ln(case when low > 0 then low end)) filter (where role = 'denominator')) as divisor_low,
        exp(sum(ln(case when high > 0 then high end)) filter (where role = 'denominator')) as divisor_high,
        sum(value) filter (where role = 'before') as before_value,
        sum(low) filter (where role = 'before') as before_low,
        sum(high) filter (where role = 'before') as before_high,
        sum(value) filter (where role = 'after') as after_value,
        sum(low) filter (where role = 'after') as after_low,
        sum(high) filter (where role = 'after') as after_high,
        min(period_start) filter (where role = 'from') as from_day,
        max(period_end) filter (where role = 'to') as to_day
    from parts
    group by
        printed_figure_id,
        check_code,
        rule

),

computed as (

    select
        added.printed_figure_id,
        added.check_code,
        added.rule,
        added.part_count,
        added.made_from,
        case added.rule
            when 'total' then coalesce(added.part_sum, 0) - added.minus_sum
            when 'remainder' then 100 - added.part_sum
            when 'repeated' then added.part_sum
            when 'mean' then added.part_sum / added.part_count
            when 'percentage' then 100 * added.numerator / nullif(added.denominator, 0)
            when 'quotient' then added.numerator / nullif(added.divisor, 0)
            when 'change' then 100 * (added.after_value / nullif(added.before_value, 0) - 1)
            when 'count' then added.part_count
            when 'listed' then added.part_count
            when 'at_most' then coalesce(added.factor_product, added.part_sum)
            when 'at_least' then coalesce(added.factor_product, added.part_sum)
            when 'duration' then
                (extract(year from age(added.to_day + 1, added.from_day)) * 12 + extract(month from age(added.to_day + 1, added.from_day)))
                / case when figures.unit = 'years' then 12 else 1 end
        end as value,
        case added.rule
            when 'total' then coalesce(added.part_low, 0) - added.minus_high
            when 'remainder' then 100 - added.part_high
            when 'repeated' then added.part_low
            when 'mean' then added.part_low / added.part_count
            when 'percentage' then 100 * least(added.numerator_low / nullif(added.denominator_high, 0), added.numerator_low / nullif(added.denominator_low, 0))
            when 'quotient' then added.numerator_low / nullif(added.divisor_high, 0)
            when 'change' then 100 * (added.after_low / nullif(added.before_high, 0) - 1)
            when 'at_most' then '-infinity'::numeric
            when 'at_least' then coalesce(added.factor_product, added.part_low)
        end as low,
        case added.rule
            when 'total' then coalesce(added.part_high, 0) - added.minus_low
            when 'remainder' then 100 - added.part_low
            when 'repeated' then added.part_high
            when 'mean' then added.part_high / added.part_count
            when 'percentage' then 100 * greatest(added.numerator_high / nullif(added.denominator_low, 0), added.numerator_high / nullif(added.denominator_high, 0))
            when 'quotient' then added.numerator_high / nullif(added.divisor_low, 0)
            when 'change' then 100 * (added.after_high / nullif(added.before_low, 0) - 1)
            when 'at_most' then coalesce(added.factor_product, added.part_high)
            when 'at_least' then 'infinity'::numeric
        end as high
    from added
    inner join figures on added.printed_figure_id = figures.printed_figure_id

),

final as (

    select
        printed_figure_id,
        check_code,
        case
            when rule in ('at_most', 'at_least') then 'bound'
            when rule in ('repeated', 'listed') then rule
            else 'relation'
        end as link_kind,
        made_from,
        part_count,
        -- Products by logarithms are out in the last digits.
        trim_scale(round(value, 10)) as value,
        -- Rules that count know their number to the unit.
        trim_scale(round(coalesce(low, value), 10)) as low,
        trim_scale(round(coalesce(high, value), 10)) as high
    from computed

)

select * from final
