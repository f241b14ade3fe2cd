-- Grain: one row per street crime file: the force that sent it and its one month, which every line of it was seen to have.
with loads as (

    select * from {{ source('ledger', 'load') }}
    where form = 'street_crime'

),

periods as (

    select * from {{ source('ledger', 'load_period') }}

),

final as (

    select
        loads.load_id,
        loads.partner_code,
        {{ financial_quarter_key('periods.period_start') }} as period_key,
        periods.period_start,
        periods.period_end
    from loads
    inner join periods on loads.load_id = periods.load_id

)

select * from final
