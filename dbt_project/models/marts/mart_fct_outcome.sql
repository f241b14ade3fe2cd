-- Grain: one row per outcome measure, area and financial quarter, as of the newest release.
{{ config(alias='fct_outcome') }}

with outcomes as (

    select * from {{ ref('fct_outcome_current') }}

),

measures as (

    select * from {{ ref('dim_measure') }}

),

final as (

    select
        {{ promised_columns('outcomes', worked_out=dict(figure_columns('outcomes'), aggregation_label=aggregation_label('outcomes'))) }}
    from outcomes

)

select * from final
