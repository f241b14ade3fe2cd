-- Grain: one row per number of an admitted return in the release being built: what fct_measurement takes over.
-- A view in the database, so that what a return would change can be asked before any release of it is built.
{{ config(materialized='view') }}

with indicator_lines as (

    select * from {{ ref('stg_indicator') }}

),

measures as (

    select * from {{ ref('dim_measure') }}

),

final as (

    select
        indicator_lines.*,
        {{ additive_value('indicator_lines') }} as additive_value
    from indicator_lines
    left join measures on indicator_lines.measure_code = measures.measure_code

)

select * from final
