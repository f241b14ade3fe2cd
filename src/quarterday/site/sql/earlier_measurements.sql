-- Grain: one row per earlier release that was public and figure as sent that it showed, of those that some release by now
-- has shown in another version; with the release by which the last version of it was taken back.
with versions as (

    select
        form,
        partner_code,
        measure_code,
        breakdown_code,
        area_code,
        period_key,
        period_type,
        period_start,
        period_end,
        value::numeric as value,
        value_qualifier,
        status,
        known_from,
        known_to
    from {relation}
    where superseded_on is null and value is not null

),

changed as (

    select
        form,
        partner_code,
        measure_code,
        breakdown_code,
        area_code,
        period_key,
        max(known_to) as last_known_to
    from versions
    where known_to <= %(published_at)s
    group by form, partner_code, measure_code, breakdown_code, area_code, period_key

)

select
    releases.release_id,
    versions.form,
    versions.partner_code,
    partners.partner_name,
    versions.measure_code,
    versions.breakdown_code,
    versions.area_code,
    versions.period_key,
    versions.period_type,
    versions.period_start,
    versions.period_end,
    versions.value,
    versions.value_qualifier,
    versions.status,
    ended.release_id as ended_by
from versions
inner join changed using (form, partner_code, measure_code, breakdown_code, area_code, period_key)
inner join ledger.release as releases
    on versions.known_from <= releases.published_at
    and coalesce(versions.known_to, 'infinity') > releases.published_at
left join ledger.release as ended on changed.last_known_to = ended.published_at
left join mart.dim_partner as partners on versions.partner_code = partners.partner_code
where releases.release_id = any(%(releases)s)
