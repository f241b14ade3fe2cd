-- Grain: one row per form, partner and period of which a release would have another return of things speak.
-- Counts of lines taken in, from the ledger: cheap, however large the register.
with current_before as (
    select form, partner_code, period_type, period, load_id
    from ledger.publication
    where upper_inf(known)
        and upper_inf(issued)
),

current_after as (
    select form, partner_code, period_type, period, load_id
    from {build}.planned
    where is_current
)

select
    form,
    partner_code,
    period_type,
    lower(period) as period_start,
    upper(period) - 1 as period_end,
    before.load_id as old_load_id,
    after.load_id as new_load_id,
    old_verdict.line_count - old_verdict.quarantined_line_count as old_lines,
    new_verdict.line_count - new_verdict.quarantined_line_count as new_lines
from current_before as before
full join current_after as after using (form, partner_code, period_type, period)
left join ledger.verdict as old_verdict on before.load_id = old_verdict.load_id
left join ledger.verdict as new_verdict on after.load_id = new_verdict.load_id
where before.load_id is distinct from after.load_id
    and form = any(%(registers)s)
order by form, partner_code, period_start, period_end
