-- Grain: one row per priority and financial quarter: budget and outturn of the whole financial year of the quarter.
-- The lines of the bodies are added up; the group's total stands in only for a year of which there is nothing else.
with candidates as (

    select * from {{ ref('int_candidate_publication') }}

),

budget_lines as (

    select * from {{ ref('fct_budget_line') }}

),

periods as (

    select * from {{ ref('dim_period') }}
    where period_type = 'financial_quarter'

),

form_priorities as (

    select * from {{ ref('int_form_priority') }}
    where form = 'budget_outturn'

),

ranked as (

    select
        budget_lines.*,
        rank() over (partition by budget_lines.period_key order by budget_lines.is_total) as detail_rank,
        -- A year's plan and its outturn may stand in one return; the firmest counts.
        row_number() over (
            partition by budget_lines.period_key, budget_lines.body, budget_lines.budget_line
            order by
                array_position(array['final', 'revised', 'provisional', 'interim', 'plan'], budget_lines.status),
                budget_lines.load_id desc,
                budget_lines.line_number
        ) as firmness_rank
    from budget_lines
    where {{ would_be_published('budget_lines') }}

),

final as (

    select
        form_priorities.priority_code,
        periods.period_key,
        sum(ranked.budget_gbp) as budget_year_gbp,
        sum(ranked.outturn_gbp) as outturn_year_gbp,
        count(*) filter (where ranked.outturn_gbp is null)::integer as outturn_missing_count
    from ranked
    inner join periods on ranked.period_key = periods.financial_year
    inner join form_priorities
        on periods.period_end between form_priorities.valid_from and coalesce(form_priorities.valid_to, 'infinity')
    where ranked.detail_rank = 1
        and ranked.firmness_rank = 1
    group by form_priorities.priority_code, periods.period_key

)

select * from final
