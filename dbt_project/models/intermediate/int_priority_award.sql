-- Grain: one row per priority and financial quarter: what its funds awarded in the whole financial year of the quarter.
-- A missing amount is never nought: it is counted beside the sum of the others.
with candidates as (

    select * from {{ ref('int_candidate_publication') }}

),

awards as (

    select * from {{ ref('fct_grant_award') }}

),

periods as (

    select * from {{ ref('dim_period') }}
    where period_type = 'financial_quarter'

),

fund_priorities as (

    select * from {{ ref('fund_priorities') }}

),

final as (

    select
        fund_priorities.priority_code,
        periods.period_key,
        sum(awards.awarded_gbp) as award_year_gbp,
        count(*) filter (
            where awards.awarded_gbp is null and awards.awarded_gbp_flag is distinct from 'z'
        )::integer as award_missing_count
    from awards
    inner join periods on awards.period_key = periods.financial_year
    inner join fund_priorities
        on awards.fund_code = fund_priorities.fund_code
        and periods.period_end between fund_priorities.valid_from and coalesce(fund_priorities.valid_to, 'infinity')
    where awards.status <> 'plan'
        and {{ would_be_published('awards') }}
    group by fund_priorities.priority_code, periods.period_key

)

select * from final
