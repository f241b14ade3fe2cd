-- Grain: one row per force, quarter and offence, as published now.
{{ config(alias='fct_recorded_offence') }}

with offences as (

    select * from {{ ref('fct_recorded_offence') }}

),

final as (

    select
        offences.load_id,
        offences.sheet,
        offences.line_number,
        offences.line_count,
        offences.partner_code,
        offences.force_name,
        offences.area_code,
        offences.period_key,
        offences.period_start,
        offences.period_end,
        offences.offence_code,
        offences.offence_description,
        offences.offence_subgroup,
        offences.offence_group,
        offences.offence_count
    from offences
    where {{ is_published('offences') }}

)

select * from final
