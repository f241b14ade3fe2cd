{# A large file of crimes repeats its places. Where judging has listed them (landing.repeated_cells), and every cell was seen to be
   plainly written, dim_crime_place has each place of the file once and the fact a key of it. The key is a hash of the cells as
   sent that tell places apart. It is used of a file only where no two of its places share one; else, and of all other files, each
   row of the fact has its place itself. #}
{% macro place_columns() -%}
    {{ return(['longitude', 'latitude', 'location', 'lsoa_code', 'lsoa_name']) }}
{%- endmacro %}

{# `cell` is the SQL of a cell as sent, with `{}` for the column's name. A point of the list has one statistical area, so that need not
   be read from each of millions of lines. #}
{% macro place_key(cell) -%}
    {%- set key = namespace(text='0') -%}
    {%- for name in ['longitude', 'latitude', 'location'] -%}
        {%- set key.text = "hashtextextended(coalesce(" ~ cell | replace('{}', name) ~ ", ''), " ~ key.text ~ ")" -%}
    {%- endfor -%}
    {{ return(key.text) }}
{%- endmacro %}

{# A typed view of street crime beside the one that is a source: `sent` or `repeated`. #}
{% macro typed_beside(form, kind) -%}
    {{ return(source('typed', form).incorporate(path={'identifier': form ~ '_' ~ kind})) }}
{%- endmacro %}

{# The crime files of the open release whose places get keys, as a list of numbers; null, which no load is, when there is none. #}
{% macro loads_with_listed_places() -%}
    {%- set columns = "array['" ~ place_columns() | join("', '") ~ "']" -%}
    {%- set plain = loads_of_release('street_crime').plain -%}
    {%- set question -%}
        select load_id
        from {{ typed_beside('street_crime', 'repeated') }}
        where load_id in ({{ plain }})
        group by load_id
        having
            count(*) = count(distinct {{ place_key("sent ->> '{}'") }})
            and bool_and(sent ?& {{ columns }} and sent - {{ columns }} = '{}')
        order by load_id
    {%- endset -%}
    {%- do return(loads_found(question, plain) | join(', ') or 'null') -%}
{%- endmacro %}

{# The crime files of the open release as three lists of numbers: `placed`, whose places have keys in dim_crime_place, and of the
   others those that casts alone can type, and the rest. #}
{% macro loads_of_crimes() -%}
    {%- set loads = loads_of_release('street_crime') -%}
    {%- set question -%}
        select distinct load_id from {{ ref('dim_crime_place') }} where load_id in ({{ loads.plain }}) order by load_id
    {%- endset -%}
    {%- set placed = loads_found(question, loads.plain) -%}
    {%- set plain = [] -%}
    {%- for load in loads.plain.split(', ') if load not in placed -%}
        {%- do plain.append(load) -%}
    {%- endfor -%}
    {%- do return({'placed': placed | join(', ') or 'null', 'plain': plain | join(', '), 'other': loads.other}) -%}
{%- endmacro %}

{# The loads that a query gives, as texts; none without asking where there is nothing to look among. #}
{% macro loads_found(question, among) -%}
    {%- set loads = [] -%}
    {%- if execute and among != 'null' -%}
        {%- for row in run_query(question) -%}
            {%- do loads.append(row['load_id'] | int | string) -%}
        {%- endfor -%}
    {%- endif -%}
    {%- do return(loads) -%}
{%- endmacro %}

{# The authorities that there were in the month of each crime file of the open release. 'Stafford 001A' is in Stafford: without
   a look at the number, which costs more than all else about a line's area. Needs a relation `months` and one `areas`. #}
{% macro authorities_of_files() -%}
    select
        areas.area_name,
        areas.area_code,
        array_agg(months.load_id) as load_ids
    from months
    inner join areas on months.period_start between areas.valid_from and coalesce(areas.valid_to, 'infinity')
    where months.{{ in_release() }}
    group by areas.area_name, areas.area_code
{%- endmacro %}
