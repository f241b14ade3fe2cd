-- Grain: one row, the release being built; none when no release is open.
with releases as (

    select * from {{ source('ledger', 'release') }}

),

final as (

    select
        releases.release_id,
        releases.started_at::date as as_of
    from releases
    where releases.release_id = {{ open_release() }}

)

select * from final
