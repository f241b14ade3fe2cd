-- Grain: one row per form, partner and financial quarter in which a return was due or came in.
select
    returns.form,
    returns.partner_code,
    partners.partner_name,
    returns.period_key,
    returns.due_on,
    returns.issued_on,
    returns.state,
    returns.verdict,
    returns.version_count,
    returns.released_version_count,
    returns.rejected_version_count,
    returns.load_id
from mart.fct_return as returns
left join mart.dim_partner as partners on returns.partner_code = partners.partner_code
