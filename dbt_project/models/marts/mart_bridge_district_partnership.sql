-- Grain: one row per local authority district, of the newest list published: a later list takes the place of the one before.
{{ config(alias='bridge_district_partnership') }}

with districts as (

    select * from {{ ref('bridge_district_partnership') }}

),

publications as (

    select * from {{ source('ledger', 'publication') }}

),

newest as (

    select
        load_id,
        period_end as listed_on
    from publications
    where form = 'community_safety_partnerships'
        and is_current
    order by period_end desc, load_id desc
    limit 1

),

final as (

    select
        {{ promised_columns('districts', but=['listed_on']) }},
        newest.listed_on
    from districts
    inner join newest on districts.load_id = newest.load_id

)

select * from final
