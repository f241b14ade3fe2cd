-- Grain: one row per item of an outcome's quarter or year, or a priority's quarter, that a release would change.
-- What is due or late moves with the day and not with a return, and is left out.
with outcomes as (
    select
        'outcome' as subject,
        null::text as priority_code,
        measure_code,
        area_code,
        period_key,
        old_outcome.measure_code is not null and old_outcome.release_id is not null as was_there,
        new_outcome.release_id is not null as is_there,
        items.*
    from mart.fct_outcome as old_outcome
    full join {schema}.fct_outcome as new_outcome using (measure_code, area_code, period_key)
    cross join lateral (
        values
        ('value', old_outcome.value::numeric, new_outcome.value::numeric, null, null),
        ('baseline_value', old_outcome.baseline_value, new_outcome.baseline_value, null, null),
        ('change_pct', old_outcome.change_pct, new_outcome.change_pct, null, null),
        ('rag_computed', null, null, old_outcome.rag_computed, new_outcome.rag_computed),
        ('signal', null, null, old_outcome.signal, new_outcome.signal)
    ) as items (item, old_value, new_value, old_text, new_text)
),

outcome_years as (
    select
        'outcome_year' as subject,
        null::text as priority_code,
        measure_code,
        area_code,
        period_key,
        old_outcome.release_id is not null as was_there,
        new_outcome.release_id is not null as is_there,
        items.*
    from mart.fct_outcome_year as old_outcome
    full join {schema}.fct_outcome_year as new_outcome using (measure_code, area_code, period_key)
    cross join lateral (
        values
        ('value', old_outcome.value::numeric, new_outcome.value::numeric, null, null),
        ('baseline_value', old_outcome.baseline_value, new_outcome.baseline_value, null, null),
        ('change_pct', old_outcome.change_pct, new_outcome.change_pct, null, null),
        ('rag_computed', null, null, old_outcome.rag_computed, new_outcome.rag_computed)
    ) as items (item, old_value, new_value, old_text, new_text)
),

priorities as (
    select
        'priority' as subject,
        priority_code,
        null::text as measure_code,
        null::text as area_code,
        period_key,
        old_priority.release_id is not null as was_there,
        new_priority.release_id is not null as is_there,
        items.*
    from mart.fct_priority as old_priority
    full join {schema}.fct_priority as new_priority using (priority_code, period_key)
    cross join lateral (
        values
        ('rag_rolled_up', null, null, old_priority.rag_rolled_up, new_priority.rag_rolled_up),
        ('outcome_red_count', old_priority.outcome_red_count, new_priority.outcome_red_count, null, null),
        ('outcome_amber_count', old_priority.outcome_amber_count, new_priority.outcome_amber_count, null, null),
        ('outcome_green_count', old_priority.outcome_green_count, new_priority.outcome_green_count, null, null),
        ('action_red_count', old_priority.action_red_count, new_priority.action_red_count, null, null),
        ('action_amber_count', old_priority.action_amber_count, new_priority.action_amber_count, null, null),
        ('action_green_count', old_priority.action_green_count, new_priority.action_green_count, null, null),
        ('award_year_gbp', old_priority.award_year_gbp, new_priority.award_year_gbp, null, null),
        ('budget_year_gbp', old_priority.budget_year_gbp, new_priority.budget_year_gbp, null, null),
        ('outturn_year_gbp', old_priority.outturn_year_gbp, new_priority.outturn_year_gbp, null, null)
    ) as items (item, old_value, new_value, old_text, new_text)
),

every_item as (
    select * from outcomes
    union all
    select * from outcome_years
    union all
    select * from priorities
)

select
    subject,
    item,
    null::text as form,
    null::text as partner_code,
    priority_code,
    measure_code,
    null::text as breakdown_code,
    area_code,
    period_key,
    coalesce(old_value::text, old_text) is not null as was_there,
    coalesce(new_value::text, new_text) is not null as is_there,
    old_value::numeric as old_value,
    new_value::numeric as new_value,
    coalesce(old_text, trim_scale(old_value::numeric)::text) as old_text,
    coalesce(new_text, trim_scale(new_value::numeric)::text) as new_text,
    null::bigint as old_load_id,
    null::bigint as new_load_id,
    null::text as note,
    false as was_provisional
from every_item
where (old_value, old_text) is distinct from (new_value, new_text)
    and not (subject = 'priority' and (not was_there or not is_there) and coalesce(old_value, new_value, 0) = 0)
order by subject, priority_code, measure_code, area_code, period_key, item
