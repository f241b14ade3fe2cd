-- Grain: one row per force, month, type of crime, area and newest outcome, as published now.
-- Kept, so that who adds up all history passes over no superseded row and joins none: the publishing transaction changes the rows
-- of the loads that it publishes, supersedes or takes back (ledger.renew_current), and no release builds anything here.
{{ config(unique_key='load_id', indexes=[{'columns': ['load_id']}, {'columns': ['period_key']}]) }}

with counts as (

    select * from {{ ref('int_fct_recorded_crime_count_current') }}

),

final as (

    select *
    from counts
    -- Who asks for a quarter's rows finds them side by side.
    order by period_key, load_id

)

select * from final
