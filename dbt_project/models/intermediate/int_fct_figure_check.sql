-- Grain: one row per release, printed figure and check of it; a figure that nothing checks has one row that says why.
-- Of the release being built; fct_figure_check keeps them.
{{ config(materialized='view') }}

with release as (

    select * from {{ ref('int_release') }}

),

figures as (

    select * from {{ ref('int_figure_range') }}

),

documents as (

    select * from {{ ref('figure_documents') }}

),

explanations as (

    select * from {{ ref('figure_explanations') }}

),

structure as (

    select * from {{ ref('int_figure_structure') }}

),

matrix as (

    select * from {{ ref('int_figure_matrix') }}

),

relations as (

    select * from {{ ref('int_figure_relation') }}

),

outcome_years as (

    select * from {{ ref('fct_outcome_year') }}

),

measures as (

    select * from {{ ref('dim_measure') }}

),

numeric_checks as (

    select
        printed_figure_id,
        check_code,
        link_kind,
        made_from,
        part_count,
        value,
        low,
        high
    from structure
    union all
    select
        printed_figure_id,
        check_code,
        link_kind,
        made_from,
        part_count,
        value,
        value as low,
        value as high
    from matrix
    union all
    select
        printed_figure_id,
        check_code,
        link_kind,
        made_from,
        part_count,
        value,
        low,
        high
    from relations

),

compared as (

    select
        numeric_checks.printed_figure_id,
        numeric_checks.check_code,
        numeric_checks.link_kind,
        numeric_checks.made_from,
        numeric_checks.part_count,
        numeric_checks.value as computed_value,
        null::text as computed_text,
        numeric_checks.low,
        numeric_checks.high,
        {{ figure_verdict('figures', 'numeric_checks') }} as verdict,
        case
            when figures.value is null and numeric_checks.value is null then 'not_available'
            when figures.value is null then 'known_since'
            when numeric_checks.value is null then 'part_not_held'
        end as reason
    from numeric_checks
    inner join figures on numeric_checks.printed_figure_id = figures.printed_figure_id

),

-- The rating of a row of the outcome table: its last year that can be rated.
ratings as (

    select distinct on (outcome_years.measure_code, outcome_years.area_code)
        outcome_years.measure_code,
        outcome_years.area_code,
        outcome_years.rag_computed
    from outcome_years
    inner join release on outcome_years.release_id = release.release_id
    order by
        outcome_years.measure_code,
        outcome_years.area_code,
        outcome_years.rag_computed is null,
        outcome_years.period_key desc

),

rated as (

    select
        figures.printed_figure_id,
        'loaded_rating' as check_code,
        'recomputed' as link_kind,
        'mart.fct_outcome_year' as made_from,
        1 as part_count,
        null::numeric as computed_value,
        ratings.rag_computed as computed_text,
        null::numeric as low,
        null::numeric as high,
        case
            when ratings.rag_computed is null then 'cannot_be_checked'
            when ratings.rag_computed = figures.printed_text then 'agrees'
            else 'differs'
        end as verdict,
        case when ratings.rag_computed is null then 'part_not_held' end as reason
    from figures
    inner join ratings
        on figures.measure_code = ratings.measure_code
        and figures.area_code = ratings.area_code
    where figures.column_type = 'rag'

),

-- What is told as done must have been over when the document was made; a plan or a target may lie ahead.
misdated as (

    select
        figures.printed_figure_id,
        'outside_period' as check_code,
        'date' as link_kind,
        'the period of ' || documents.document_code as made_from,
        1 as part_count,
        null::numeric as computed_value,
        'not after ' || documents.covers_to::text as computed_text,
        null::numeric as low,
        null::numeric as high,
        'differs' as verdict,
        null::text as reason
    from figures
    inner join documents on figures.document_code = documents.document_code
    where figures.status not in ('plan', 'target')
        and {{ figure_is_misdated('figures', 'documents') }}

),

checked as (

    select * from compared
    union all
    select * from rated
    union all
    select * from misdated

),

with_unchecked as (

    select * from checked
    union all
    select
        figures.printed_figure_id,
        'none' as check_code,
        'none' as link_kind,
        null::text as made_from,
        0 as part_count,
        null::numeric as computed_value,
        null::text as computed_text,
        null::numeric as low,
        null::numeric as high,
        'cannot_be_checked' as verdict,
        case
            when figures.status in ('plan', 'target') then 'plan_or_target'
            when figures.unit in ('years', 'months', 'weeks', 'days', 'hours', 'minutes', 'km', 'level', 'rank', 'flag') then 'fixed_by_design'
            when figures.unit in ('date', 'year') then 'printed_once'
            when measures.measure_code is not null then 'no_return_holds_it'
            else 'no_form_for_it'
        end as reason
    from figures
    left join measures on figures.measure_code = measures.measure_code
    where not exists (
        select 1
        from checked
        where checked.printed_figure_id = figures.printed_figure_id
    )

),

final as (

    select
        release.release_id,
        with_unchecked.printed_figure_id,
        with_unchecked.check_code,
        with_unchecked.link_kind,
        with_unchecked.made_from,
        with_unchecked.part_count,
        trim_scale(round(with_unchecked.computed_value, 4)) as computed_value,
        with_unchecked.computed_text,
        trim_scale(round(case when with_unchecked.low > '-infinity' then with_unchecked.low end, 4)) as computed_low,
        trim_scale(round(case when with_unchecked.high < 'infinity' then with_unchecked.high end, 4)) as computed_high,
        trim_scale(round(with_unchecked.computed_value - figures.value, 4)) as difference,
        with_unchecked.verdict,
        with_unchecked.reason,
        -- The plan's rows are printed under its matrix; other returns are no part of a report.
        with_unchecked.link_kind in ('relation', 'repeated', 'listed', 'bound', 'date')
        or with_unchecked.check_code = 'loaded_rows' as is_inside_document,
        explanations.cause,
        explanations.explanation
    from with_unchecked
    cross join release
    inner join figures on with_unchecked.printed_figure_id = figures.printed_figure_id
    -- An explanation holds for the difference it was written for: when the computed number moves, it is new again.
    left join explanations
        on with_unchecked.verdict = 'differs'
        and coalesce(figures.same_print_as, figures.printed_figure_id) = explanations.printed_figure_id
        and with_unchecked.check_code = explanations.check_code
        and round(with_unchecked.computed_value, 4) is not distinct from explanations.computed_value

)

select * from final
