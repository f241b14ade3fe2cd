-- Grain: one row per priority and financial quarter. The measures behind it tell what has to be left out; they are not shown.
with rated_measures as (

    select
        outcomes.priority_code,
        array_agg(distinct bridge.measure_code) as measure_codes
    from mart.dim_outcome as outcomes
    inner join mart.bridge_measure_outcome as bridge on outcomes.outcome_code = bridge.outcome_code
    group by outcomes.priority_code

)

select
    facts.priority_code,
    priorities.plan_code,
    priorities.priority_name,
    facts.period_key,
    rated_measures.measure_codes,
    facts.outcome_red_count,
    facts.outcome_amber_count,
    facts.outcome_green_count,
    facts.outcome_unrated_count,
    facts.rag_rolled_up,
    facts.action_red_count,
    facts.action_amber_count,
    facts.action_green_count,
    facts.action_white_count,
    facts.award_year_gbp,
    facts.award_missing_count,
    facts.budget_year_gbp,
    facts.outturn_year_gbp,
    facts.outturn_missing_count,
    facts.return_due_count,
    facts.return_in_count,
    facts.return_late_count,
    facts.return_rejected_count
from mart.fct_priority as facts
inner join mart.dim_priority as priorities on facts.priority_code = priorities.priority_code
left join rated_measures on facts.priority_code = rated_measures.priority_code
