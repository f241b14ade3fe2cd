-- Grain: one row per form, partner and period: the load that would speak for it if the release were published now.
with final as (

    select
        planned.form,
        planned.partner_code,
        planned.period_type,
        planned.period,
        planned.load_id,
        lower(planned.issued) as issued_on,
        planned.is_new
    from ledger.plan_publication({{ open_release() }}) as planned
    where planned.is_current

)

select * from final
