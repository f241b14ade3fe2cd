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
        {{ promised_columns('budget_lines', but=['publication_id', 'release_id', 'known_from', 'known_to', 'issued_on', 'superseded_on']) }},
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
