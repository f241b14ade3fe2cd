-- Grain: one row per figure printed in a report; a print that was taken up twice counts once.
select
    figures.printed_figure_id,
    figures.document_code,
    figures.document,
    figures.label,
    figures.measure_code,
    figures.breakdown_code,
    figures.area_code,
    figures.period_start,
    figures.period_end,
    figures.unit,
    figures.status,
    figures.printed_text,
    figures.printed_value,
    figures.link_kind,
    figures.check_code,
    figures.computed_value,
    figures.computed_text,
    figures.difference,
    figures.verdict,
    figures.reason,
    figures.explanation
from mart.fct_published_figure as figures
where figures.same_print_as is null and figures.verdict is not null
order by figures.printed_figure_id
