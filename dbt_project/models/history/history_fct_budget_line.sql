-- Grain: one row per load, body, budget line, financial year and status, and publication of it. As known at t: known_from <= t < known_to; as issued by d: issued_on <= d < superseded_on.
{{ config(alias='fct_budget_line') }}

with budget_lines as (

    select * from {{ ref('fct_budget_line') }}

),

publications as (

    select * from {{ source('ledger', 'publication') }}

),

final as (

    select
        budget_lines.load_id,
        budget_lines.sheet,
        budget_lines.line_number,
        budget_lines.body,
        budget_lines.budget_line,
        budget_lines.period_key,
        budget_lines.period_start,
        budget_lines.period_end,
        budget_lines.status,
        budget_lines.is_total,
        budget_lines.budget_gbp,
        budget_lines.budget_gbp_flag,
        budget_lines.outturn_gbp,
        budget_lines.outturn_gbp_flag,
        budget_lines.variance_gbp,
        budget_lines.variance_gbp_flag,
        budget_lines.variance_pct,
        budget_lines.variance_pct_flag,
        budget_lines.variance_computed_gbp,
        publications.publication_id,
        publications.release_id,
        lower(publications.known) as known_from,
        upper(publications.known) as known_to,
        lower(publications.issued) as issued_on,
        upper(publications.issued) as superseded_on
    from budget_lines
    inner join publications
        on budget_lines.load_id = publications.load_id
        and publications.period @> budget_lines.period_end

)

select * from final
