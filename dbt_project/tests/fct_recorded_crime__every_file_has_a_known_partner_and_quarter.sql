-- What all lines of a file share comes from the ledger; here it is held to the dimensions.
select
    months.load_id,
    months.partner_code,
    months.period_key
from {{ ref('int_load_month') }} as months
left join {{ ref('dim_partner') }} as partners on months.partner_code = partners.partner_code
left join {{ ref('dim_period') }} as periods on months.period_key = periods.period_key
where
    months.{{ in_release() }}
    and (partners.partner_code is null or periods.period_key is null)
