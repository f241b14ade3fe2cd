-- Grain: one row per load, force, quarter and offence. Lines that share them are parts of one count and are added up.
{{ config(incremental_strategy='replace_loads', unique_key='load_id', indexes=[{'columns': ['period_start', 'area_code']}]) }}

with offences as (

    select * from {{ ref('stg_home_office_recorded_crime') }}

),

-- The commissioner's area is the force's: what stands in brackets in its name is ours.
forces as (

    select
        area_code,
        regexp_replace(area_name, ' [(].*[)]$', '') as force_name
    from {{ ref('dim_area') }}
    where area_type in ('police_force_area', 'police_force')

),

added as (

    select
        load_id,
        sheet,
        partner_code,
        force_name,
        period_key,
        offence_code,
        offence_description,
        offence_subgroup,
        offence_group,
        min(line_number) as line_number,
        count(*)::integer as line_count,
        sum(offence_count)::bigint as offence_count
    from offences
    group by
        load_id,
        sheet,
        partner_code,
        force_name,
        period_key,
        offence_code,
        offence_description,
        offence_subgroup,
        offence_group

),

final as (

    select
        added.load_id,
        added.sheet,
        added.line_number,
        added.line_count,
        added.partner_code,
        added.force_name,
        forces.area_code,
        added.period_key,
        {{ quarter_start('added.period_key') }} as period_start,
        ({{ quarter_start('added.period_key') }} + interval '3 months' - interval '1 day')::date as period_end,
        added.offence_code,
        added.offence_description,
        added.offence_subgroup,
        added.offence_group,
        added.offence_count
    from added
    left join forces on added.force_name = forces.force_name

)

select * from final
