-- Grain: one row per item of a partner's figure that a release would change, bring or take away.
-- A figure is told apart by its status, too; one whose status alone has moved, as from provisional to final, is the same.
with current_before as (
    select
        form,
        partner_code,
        period_type,
        period,
        load_id
    from ledger.publication
    where upper_inf(known)
        and upper_inf(issued)
),

current_after as (
    select
        form,
        partner_code,
        period_type,
        period,
        load_id
    from {build}.planned
    where is_current
),

touched as materialized (
    select load_id from (select * from current_before except select * from current_after) as leaving
    union
    select load_id from (select * from current_after except select * from current_before) as coming
),

sides as (
    select
        true as is_after,
        load_id, form, partner_code, measure_code, breakdown_code, area_code, period_key, period_type,
        daterange(period_start, period_end, '[]') as period, status, note,
        value::numeric as value, value_qualifier, value_flag, numerator, denominator, declared_rag
    from {schema}.fct_measurement
    where load_id = any(array(select touched.load_id from touched))
    union all
    select
        false as is_after,
        load_id, form, partner_code, measure_code, breakdown_code, area_code, period_key, period_type,
        daterange(period_start, period_end, '[]') as period, status, note,
        value::numeric as value, value_qualifier, value_flag, numerator, denominator, declared_rag
    from mart.fct_measurement
    where load_id = any(array(select touched.load_id from touched))
),

counted as (
    select
        sides.*,
        count(*) over (
            partition by form, partner_code, measure_code, breakdown_code, area_code, period_key, status
        ) = 2 as is_in_both
    from sides
),

slotted as (
    select
        counted.*,
        case
            when is_in_both then status
            else 'other ' || row_number() over (
                partition by is_after, is_in_both, form, partner_code, measure_code, breakdown_code, area_code, period_key
                order by status
            )
        end as slot
    from counted
),

paired as (
    select
        form, partner_code, measure_code, breakdown_code, area_code, period_key,
        old_figure.load_id is not null as was_there,
        new_figure.load_id is not null as is_there,
        old_figure.load_id as old_load_id,
        -- Of a figure that vanishes: the return that no longer has it.
        coalesce(new_figure.load_id, (
            select current_after.load_id
            from current_after
            where (current_after.form, current_after.partner_code, current_after.period_type, current_after.period)
                = (old_figure.form, old_figure.partner_code, old_figure.period_type, old_figure.period)
        )) as new_load_id,
        new_figure.note,
        old_figure.value as old_value,
        new_figure.value as new_value,
        old_figure.numerator as old_numerator,
        new_figure.numerator as new_numerator,
        old_figure.denominator as old_denominator,
        new_figure.denominator as new_denominator,
        old_figure.declared_rag as old_declared_rag,
        new_figure.declared_rag as new_declared_rag,
        old_figure.status as old_status,
        new_figure.status as new_status,
        concat_ws(' ', nullif(old_figure.value_qualifier, 'exact'), trim_scale(old_figure.value), '[' || old_figure.value_flag || ']') as old_text,
        concat_ws(' ', nullif(new_figure.value_qualifier, 'exact'), trim_scale(new_figure.value), '[' || new_figure.value_flag || ']') as new_text
    from (select * from slotted where not is_after) as old_figure
    full join (select * from slotted where is_after) as new_figure
        using (form, partner_code, measure_code, breakdown_code, area_code, period_key, slot)
)

select
    'figure' as subject,
    items.item,
    paired.form,
    paired.partner_code,
    null::text as priority_code,
    paired.measure_code,
    paired.breakdown_code,
    paired.area_code,
    paired.period_key,
    paired.was_there,
    paired.is_there,
    items.old_value,
    items.new_value,
    items.old_text,
    items.new_text,
    paired.old_load_id,
    paired.new_load_id,
    paired.note,
    coalesce(paired.old_status in ('provisional', 'interim'), false) as was_provisional
from paired
cross join lateral (
    values
    ('value', old_value, new_value, old_text, new_text),
    ('numerator', old_numerator, new_numerator, trim_scale(old_numerator)::text, trim_scale(new_numerator)::text),
    ('denominator', old_denominator, new_denominator, trim_scale(old_denominator)::text, trim_scale(new_denominator)::text),
    ('rag_declared', null, null, old_declared_rag, new_declared_rag),
    ('status', null, null, old_status, new_status)
) as items (item, old_value, new_value, old_text, new_text)
where items.item = 'value' and not (paired.was_there and paired.is_there)
    or (items.old_value, nullif(items.old_text, '')) is distinct from (items.new_value, nullif(items.new_text, ''))
    and paired.was_there
    and paired.is_there
order by form, partner_code, measure_code, breakdown_code, area_code, period_key, item
