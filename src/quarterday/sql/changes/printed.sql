-- Grain: one row per check of a figure printed in a report, of which a release would change what is computed or said.
select
    figures.printed_figure_id,
    figures.document as report,
    figures.document_code,
    figures.place,
    figures.label,
    figures.printed_text,
    figures.printed_value,
    figures.measure_code,
    figures.breakdown_code,
    figures.area_code,
    figures.period_key,
    new_check.check_code,
    old_check.computed_value as old_value,
    new_check.computed_value as new_value,
    coalesce(old_check.computed_text, trim_scale(old_check.computed_value)::text) as old_text,
    coalesce(new_check.computed_text, trim_scale(new_check.computed_value)::text) as new_text,
    old_check.verdict as old_verdict,
    new_check.verdict as new_verdict
from {schema}.fct_figure_check as new_check
full join mart.fct_figure_check as old_check using (printed_figure_id, check_code)
inner join mart.fct_published_figure as figures using (printed_figure_id)
where figures.same_print_as is null
    and (old_check.computed_value, old_check.computed_text, old_check.verdict)
    is distinct from (new_check.computed_value, new_check.computed_text, new_check.verdict)
    and coalesce(old_check.computed_text, old_check.computed_value::text) is not null
order by figures.document_code, figures.printed_figure_id, new_check.check_code
