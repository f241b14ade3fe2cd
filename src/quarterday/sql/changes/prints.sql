-- Grain: one row per figure printed in a report about one of the measures, areas and periods that are asked for.
select
    figures.printed_figure_id,
    figures.document as report,
    figures.document_code,
    figures.place,
    figures.label,
    figures.printed_text,
    figures.printed_value,
    figures.measure_code,
    coalesce(figures.breakdown_code, 'all') as breakdown_code,
    figures.area_code,
    figures.period_key,
    figures.printed_step
from mart.fct_published_figure as figures
inner join unnest(%(measures)s::text[], %(areas)s::text[], %(periods)s::text[]) as asked (measure_code, area_code, period_key)
    using (measure_code, area_code, period_key)
where figures.same_print_as is null
    and figures.printed_value is not null
