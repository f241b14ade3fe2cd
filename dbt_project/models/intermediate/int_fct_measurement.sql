-- Grain: one row per number of an admitted return in the release being built: what fct_measurement takes over.
-- A view in the database, so that what a return would change can be asked before any release of it is built.
{{ config(materialized='view') }}

with indicator_lines as (

    select * from {{ ref('stg_indicator') }}

),

final as (

    select * from indicator_lines

)

select * from final
