-- Grain: one row, the release being built; none when the relations are only being set up.
with releases as (

    select * from {{ source('ledger', 'release') }}

),

final as (

    select
        releases.release_id,
        releases.started_at::date as as_of
    from releases
    where releases.release_id = {{ var('release_id') }}

)

select * from final
