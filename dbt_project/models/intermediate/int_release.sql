-- Grain: one row, the release being built; none when no release is open.
with releases as (

    select * from {{ source('ledger', 'release') }}

),

final as (

    select
        releases.release_id,
        -- The day it reckons with: when it was opened, or taken up again, by the clock in London.
        coalesce(releases.as_of, (releases.started_at at time zone 'Europe/London')::date) as as_of,
        releases.reckoned_at
    from releases
    where releases.release_id = {{ open_release() }}

)

select * from final
