-- Grain: one row per statistical area, of the newest list published: a later list takes the place of the one before.
{{ config(alias='dim_statistical_area') }}

with areas as (

    select * from {{ ref('dim_statistical_area') }}

),

publications as (

    select * from {{ source('ledger', 'publication') }}

),

newest as (

    select
        load_id,
        period_end as listed_on
    from publications
    where form = 'statistical_area_forces'
        and is_current
    order by period_end desc, load_id desc
    limit 1

),

final as (

    select
        {{ promised_columns('areas', but=['listed_on']) }},
        newest.listed_on
    from areas
    inner join newest on areas.load_id = newest.load_id

)

select * from final
