-- Grain: one row per return that a release has published. No hash: a file of one small number can be found by its hash.
select
    loads.load_id,
    loads.file_name,
    loads.form,
    loads.partner_code,
    partners.partner_name,
    loads.reporting_quarter,
    loads.issued_on,
    min(release_loads.release_id) as release_id
from ledger.load as loads
inner join ledger.release_load as release_loads on loads.load_id = release_loads.load_id
inner join ledger.release as releases on release_loads.release_id = releases.release_id
left join mart.dim_partner as partners on loads.partner_code = partners.partner_code
where releases.published_at is not null
group by
    loads.load_id,
    loads.file_name,
    loads.form,
    loads.partner_code,
    partners.partner_name,
    loads.reporting_quarter,
    loads.issued_on
order by loads.load_id
