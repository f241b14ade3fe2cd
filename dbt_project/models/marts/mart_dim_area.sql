-- Grain: one row per area, with the areas of each level that it lies in.
{{ config(alias='dim_area') }}

with areas as (

    select * from {{ ref('dim_area') }}

),

final as (

    select
        {{ promised_columns('areas') }}
    from areas

)

select * from final
