-- Grain: one row per outcome measure, area and financial quarter, as of the newest release.
{{ config(alias='fct_outcome') }}

with outcomes as (

    select * from {{ ref('fct_outcome') }}

),

measures as (

    select * from {{ ref('dim_measure') }}

),

labelled as (

    select
        outcomes.*,
        case
            when outcomes.aggregation in ('simple_mean', 'simple_mean_as_sent') then 'simple mean'
            when outcomes.aggregation = 'pooled' then 'pooled rate'
            when outcomes.aggregation = 'sum_of_areas' then 'sum of areas'
            when outcomes.aggregation = 'as_sent' then 'as sent'
        end as aggregation_label
    from outcomes

),

figures as (

    {{ with_figures('labelled') }}

),

final as (

    select
        {{ promised_columns('figures', renamed={'value': 'figure'}) }}
    from figures
    where figures.release_id = {{ newest_release() }}

)

select * from final
