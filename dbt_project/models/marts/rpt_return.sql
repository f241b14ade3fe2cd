-- Grain: one row per form, partner and financial quarter in which a return was due or came in; with names, and how late it is. Live from the ledger.
with returns as (

    select * from {{ ref('mart_fct_return') }}

),

partners as (

    select * from {{ ref('dim_partner') }}

),

periods as (

    select * from {{ ref('mart_dim_period') }}

),

judged as (

    select
        returns.*,
        returns.state in ('admitted', 'released', 'restated') as is_in,
        (returns.first_received_at at time zone 'Europe/London')::date as first_received_on
    from returns

),

final as (

    select
        judged.form,
        judged.partner_code,
        partners.partner_name,
        partners.partner_type,
        judged.period_key,
        periods.period_label,
        periods.financial_year,
        periods.period_start,
        periods.period_end,
        periods.financial_quarter_sort as period_sort,
        judged.state,
        judged.verdict,
        judged.is_in,
        coalesce(judged.due_on < current_date and not judged.is_in, false) as is_late,
        coalesce(judged.first_received_on > judged.due_on, false) as was_received_late,
        judged.due_on,
        judged.first_received_on,
        judged.issued_on,
        case
            when judged.due_on is not null
                then greatest(case when judged.is_in then judged.first_received_on else current_date end - judged.due_on, 0)
        end as late_day_count,
        judged.version_count,
        judged.released_version_count,
        judged.rejected_version_count,
        judged.line_count,
        judged.quarantined_line_count,
        judged.issue_count,
        judged.load_id
    from judged
    left join partners on judged.partner_code = partners.partner_code
    left join periods on judged.period_key = periods.period_key

)

select * from final
