-- Grain: one row per cell of a released return that is read otherwise than it was sent. The cell itself is not shown.
select
    corrections.load_id,
    corrections.correction_id,
    corrections.form,
    corrections.partner_code,
    partners.partner_name,
    corrections.period_key,
    corrections.sheet,
    corrections.line_number,
    corrections.column_heading,
    corrections.decided_on
from mart.rpt_correction as corrections
left join mart.dim_partner as partners on corrections.partner_code = partners.partner_code
order by corrections.load_id, corrections.sheet, corrections.line_number, corrections.column_heading
