-- Grain: one row per measure: its own rule, or the general one.
with rules as (

    select * from {{ ref('rag_rules') }}

),

measures as (

    select * from {{ ref('dim_measure') }}

),

final as (

    select
        measures.measure_code,
        case measures.direction when 'lower_is_better' then -1 when 'higher_is_better' then 1 end as better_sign,
        coalesce(own.green_at_least_pct, general.green_at_least_pct) as green_at_least_pct,
        coalesce(own.amber_at_least_pct, general.amber_at_least_pct) as amber_at_least_pct
    from measures
    left join rules as own on measures.measure_code = own.measure_code
    left join rules as general on general.measure_code = '*'

)

select * from final
