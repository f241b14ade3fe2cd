-- Grain: one row per action and load of an action plan, and publication of it. As known at t: known_from <= t < known_to; as issued by d: issued_on <= d < superseded_on.
{{ config(alias='fct_action_status') }}

with action_statuses as (

    select * from {{ ref('fct_action_status') }}

),

publications as (

    select * from {{ source('ledger', 'publication') }}

),

final as (

    select
        {{ promised_columns('action_statuses', but=['publication_id', 'release_id', 'known_from', 'known_to', 'issued_on', 'superseded_on']) }},
        publications.publication_id,
        publications.release_id,
        lower(publications.known) as known_from,
        upper(publications.known) as known_to,
        lower(publications.issued) as issued_on,
        upper(publications.issued) as superseded_on
    from action_statuses
    inner join publications
        on action_statuses.load_id = publications.load_id
        and publications.period @> action_statuses.period_end

)

select * from final
