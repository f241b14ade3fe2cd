-- Grain: one row per measure, area and day on which its series or its chart starts anew.
{{ config(alias='dim_series_break') }}

with series_breaks as (

    select * from {{ ref('series_breaks') }}

),

final as (

    select
        {{ promised_columns('series_breaks') }}
    from series_breaks

)

select * from final
