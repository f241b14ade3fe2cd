{# The release being built: the open one, of which there is at most one. Not a dbt variable, because another value of a
   variable makes dbt parse the whole project again. Null when none is open: then relations are made and stay empty. #}
{% macro open_release() -%}
    (
        select release.release_id
        from {{ source('ledger', 'release') }} as release
        where release.published_at is null
    )
{%- endmacro %}

{# Rows of the loads that the release being built brings in. The loads are named by number: of an array that is worked out
   while the query runs, PostgreSQL prunes no partition, and it guesses at how many rows there will be. #}
{% macro in_release() -%}
    load_id in ({{ loads_of_open_release() }})
{%- endmacro %}

{# The same for what stands in the database as a view, and finds out whose lines it shows when it is asked. What builds a fact
   of it names the loads besides. #}
{% macro in_release_when_asked() -%}
    load_id = any(array(
        select release_load.load_id
        from {{ source('ledger', 'release_load') }} as release_load
        where release_load.release_id = {{ open_release() }}
    ))
{%- endmacro %}

{# The loads of the release being built as a list of numbers; null, which no load is, when there is none. #}
{% macro loads_of_open_release() -%}
    {%- set question -%}
        select release_load.load_id
        from {{ source('ledger', 'release_load') }} as release_load
        where release_load.release_id = {{ open_release() }}
        order by release_load.load_id
    {%- endset -%}
    {%- set loads = [] -%}
    {%- if execute -%}
        {%- for row in run_query(question) -%}
            {%- do loads.append(row['load_id'] | int | string) -%}
        {%- endfor -%}
    {%- endif -%}
    {%- do return(loads | join(', ') or 'null') -%}
{%- endmacro %}

{# What a test looks at. A row of a fact never changes once it is released, so a release tests its own rows, whatever the
   history: `where: in_release` those of its loads, `where: of_release` those that it derives. While no release is open, as
   when the code is deployed, these look at all rows; `where: only_in_release` at none: a fact without keys is too large. #}
{% macro postgres__get_where_subquery(relation) -%}
    {%- set rows = config.get('where', '') -%}
    {%- if rows in ('in_release', 'only_in_release', 'of_release') -%}
        {%- set release_id = id_of_open_release() -%}
        {%- if release_id is none and rows != 'only_in_release' -%}
            {%- do return(relation) -%}
        {%- endif -%}
        {%- set condition = 'release_id = ' ~ release_id if rows == 'of_release' else in_release() -%}
        {%- do return('(select * from ' ~ relation ~ ' where ' ~ condition ~ ') as rows_to_test') -%}
    {%- endif -%}
    {%- do return(dbt.default__get_where_subquery(relation)) -%}
{%- endmacro %}

{# The number of the release being built; none when no release is open. #}
{% macro id_of_open_release() -%}
    {%- if execute -%}
        {%- for row in run_query('select ' ~ open_release() ~ ' as release_id') if row['release_id'] is not none -%}
            {%- do return(row['release_id'] | int) -%}
        {%- endfor -%}
    {%- endif -%}
    {%- do return(none) -%}
{%- endmacro %}

{# Derived facts join many small steps of which PostgreSQL expects a row each. It would compare each row of one with each of
   the other, which takes a hundred times as long when there are ten times as many quarters. #}
{% macro joins_of_derived_facts() -%}
    set local enable_nestloop = off
{%- endmacro %}

{# A quarantined line stays in landing and never reaches a fact, unless it is taken in by exception. #}
{% macro not_quarantined(relation) -%}
    not exists (
        select 1
        from {{ source('ledger', 'quarantined_line') }} as quarantined_line
        where quarantined_line.load_id = {{ relation }}.load_id
            and quarantined_line.line_number = {{ relation }}.line_number
            and coalesce(quarantined_line.sheet, '') = coalesce({{ relation }}.sheet, '')
    )
{%- endmacro %}

{# A fact as it is published now: its load speaks for the period it is about. #}
{% macro is_published(relation) -%}
    exists (
        select 1
        from {{ source('ledger', 'publication') }} as publication
        where publication.load_id = {{ relation }}.load_id
            and publication.period @> {{ relation }}.period_end
            and publication.is_current
    )
{%- endmacro %}

{# The release whose derived facts readers see. #}
{% macro newest_release() -%}
    (
        select release.release_id
        from {{ source('ledger', 'release') }} as release
        where release.published_at is not null
        order by release.published_at desc, release.release_id desc
        limit 1
    )
{%- endmacro %}

{# Green, amber or red from how far a value is better than its baseline, in percent. Null where there is nothing to compare. #}
{% macro rag_from(improvement_pct, rule) -%}
    case
        when {{ improvement_pct }} is null then null
        when {{ improvement_pct }} >= {{ rule }}.green_at_least_pct then 'G'
        when {{ improvement_pct }} >= {{ rule }}.amber_at_least_pct then 'A'
        else 'R'
    end
{%- endmacro %}

{# The rating of a period by its change against the baseline; the baseline's own period is no progress against itself. #}
{% macro rag_against_baseline(relation) -%}
    case
        when {{ relation }}.period_key is distinct from {{ relation }}.baseline_period_key
            then {{ rag_from(relation ~ '.better_sign * ' ~ relation ~ '.change_pct', relation) }}
    end
{%- endmacro %}

{# Every published release, with when readers saw its derived facts: known_from <= t < known_to. #}
{% macro published_releases() -%}
    select
        release.release_id,
        release.published_at as known_from,
        lead(release.published_at) over (order by release.published_at, release.release_id) as known_to
    from {{ source('ledger', 'release') }} as release
    where release.published_at is not null
{%- endmacro %}

{# A fact as it would be published with the release being built; needs a relation `candidates`. #}
{% macro would_be_published(relation) -%}
    exists (
        select 1
        from candidates
        where candidates.load_id = {{ relation }}.load_id
            and candidates.period @> {{ relation }}.period_end
    )
{%- endmacro %}

{# What there is in place of a figure, as of a day. A lag is the source's own; without one, the day the return is due decides. #}
{% macro lag_state(day) -%}
    case
        when value is not null then 'available'
        when flag_state is not null then flag_state
        when not is_commissioned then 'not_commissioned'
        when {{ day }} < lagged_until then 'not_available_until'
        when {{ day }} <= period_end then 'not_due'
        when {{ day }} > coalesce(lagged_until, due_on) then 'late'
        else 'due'
    end
{%- endmacro %}
