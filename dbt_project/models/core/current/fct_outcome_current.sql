-- Grain: one row per outcome measure, area and financial quarter, as of the newest release.
-- Kept, so that who asks for an outcome plans one relation and no look for the newest release in a table of all of them: the
-- publishing transaction puts its release's rows in place of those before (ledger.renew_current).
{{ config(unique_key='release_id', indexes=[{'columns': ['period_key']}]) }}

with outcomes as (

    select * from {{ ref('int_fct_outcome_current') }}

),

final as (

    select
        {{ promised_columns('outcomes') }}
    from outcomes
    -- Who asks for a quarter's rows finds them side by side.
    order by outcomes.period_key

)

select * from final
