{# Views are deployed while readers read them. dbt's own way makes a new view, renames two, and drops the old one with all
   that depends on it: until dbt comes to them, readers find no such relation. Here a view that is as it should be is left
   alone, so nobody waits; another is replaced where it stands. Only where a column goes, moves or changes its type is it
   dropped, with what depends on it. A reader that holds a view for longer than the lock timeout stops the deployment, not
   the other readers, who would queue behind it; deploying again goes on. #}
{% materialization view, adapter='postgres' %}
    {%- set target_relation = this.incorporate(type='view') -%}
    {%- set existing_relation = load_cached_relation(this) -%}
    {{ run_hooks(pre_hooks, inside_transaction=False) }}
    {{ run_hooks(pre_hooks, inside_transaction=True) }}
    {% if existing_relation is not none and not existing_relation.is_view %}
        {{ drop_relation_if_exists(existing_relation) }}
    {% endif %}
    {% call statement('main') -%}
        {{ deploy_view(target_relation, sql) }}
    {%- endcall %}
    {% do apply_grants(target_relation, config.get('grants'), should_revoke=should_revoke(existing_relation, full_refresh_mode=True)) %}
    {% do persist_docs(target_relation, model) %}
    {{ run_hooks(post_hooks, inside_transaction=True) }}
    {{ adapter.commit() }}
    {{ run_hooks(post_hooks, inside_transaction=False) }}
    {{ return({'relations': [target_relation]}) }}
{% endmaterialization %}

{# A view's select with each CTE that is read once put where it is read. PostgreSQL plans a query of a view that begins with
   `with` by itself: its joins are not ordered with those of the reader, and a small question takes twice as long. Each query
   within a query is planned too, column by column: so a CTE that only names a relation gives its name to the relation, and the
   last select is what `final` says. The models keep their CTEs; this knows the form that they have, each between lines of its
   own. What is read twice stays a CTE. #}
{% macro without_ctes(sql) -%}
    {%- set re = modules.re -%}
    {%- set query = namespace(text=re.sub('--[^\n]*', '', sql)) -%}
    {#- dbt puts an ephemeral model before the model's own CTEs, and it has CTEs too: it is taken by itself first. -#}
    {%- set ephemeral = re.search('(?s)\\A\\s*with\\s+(__dbt__cte__\\w+) as \\(\n(.*?)\n\\), (?=\\w+ as \\()', query.text) -%}
    {%- if ephemeral -%}
        {%- set rest = 'with ' ~ query.text[ephemeral.end():] -%}
        {%- set body = without_ctes(ephemeral[2]) | trim -%}
        {%- set reading = '\\b(from|join)(\\s+)' ~ ephemeral[1] ~ '\\b(?!\\.)' -%}
        {%- if re.findall(reading, rest) | length == 1 and not re.search('(?m)^\\)', body) -%}
            {%- set named = '(' ~ body | replace('\\', '\\\\') ~ ') as ' ~ ephemeral[1] -%}
            {%- set query.text = re.sub(reading, '\\1\\2' ~ named, rest) -%}
        {%- endif -%}
    {%- endif -%}
    {%- set query.text = re.sub('(?s)(?:^|(?<=\n))(with )?final as \\(\n(.*?)\n\\)\\s*select \\* from final\\s*\\Z', '\\2', query.text) -%}
    {%- for name, relation in re.findall('(?m)^(?:with )?(\\w+) as \\(\\s*select \\* from ("[^\\s()]+)\\s*^\\)', query.text) -%}
        {%- set query.text = re.sub('(?m)^(with )?' ~ name ~ ' as \\(\\s*select \\* from [^\\s()]+\\s*^\\)(?:,\n+)?', '\\1', query.text) -%}
        {%- set reading = '\\b(from|join)(\\s+)' ~ name ~ '\\b(?![.(])' -%}
        {%- set query.text = re.sub(reading ~ '(\\s+as\\s+\\w+)', '\\1\\2' ~ relation ~ '\\3', query.text) -%}
        {%- set query.text = re.sub(reading, '\\1\\2' ~ relation ~ ' as ' ~ name, query.text) -%}
    {%- endfor -%}
    {%- for name in re.findall('(?m)^(?:with )?(\\w+) as \\(\n', query.text) -%}
        {%- set cte = '(?ms)^(with )?' ~ name ~ ' as \\(\n(.*?)^\\)(?:,\n+)?' -%}
        {%- set reading = '\\b(from|join)(\\s+)' ~ name ~ '\\b(?![.(])' -%}
        {%- if re.findall(reading, query.text) | length == 1 -%}
            {%- set body = '(' ~ re.search(cte, query.text)[2] | trim | replace('\\', '\\\\') ~ ')' -%}
            {%- set query.text = re.sub(cte, '\\1', query.text) -%}
            {%- set renamed = re.sub(reading ~ '(\\s+as\\s+\\w+)', '\\1\\2' ~ body ~ '\\3', query.text) -%}
            {%- set query.text = renamed if renamed != query.text else re.sub(reading, '\\1\\2' ~ body ~ ' as ' ~ name, query.text) -%}
        {%- endif -%}
    {%- endfor -%}
    {{- re.sub('(?m)^\\),(?=\\s*select\\b)', ')', re.sub('\\A\\s*with\\s+(?=select\\b)', '', query.text)) -}}
{%- endmacro %}

{% macro deploy_view(relation, sql) -%}
    {%- set text = without_ctes(sql) if relation.schema in ('mart', 'history') else sql -%}
    {%- set options = 'with (security_invoker = true)' if config.get('meta', {}).get('security_invoker') else '' -%}
    {% if config.get('contract').enforced %}{{ get_assert_columns_equivalent(sql) }}{% endif %}
    set local lock_timeout = '5s';
    do $deploy$
    begin
        create temporary view deployed_{{ relation.identifier }} as (
            {{ text }}
        );
        if pg_get_viewdef('pg_temp.deployed_{{ relation.identifier }}'::regclass)
            is distinct from pg_get_viewdef(to_regclass('{{ relation.schema }}.{{ relation.identifier }}'))
            or {{ "not " if options }}coalesce('security_invoker=true' = any((
                select reloptions from pg_class where oid = to_regclass('{{ relation.schema }}.{{ relation.identifier }}')
            )::text[]), false)
        then
            begin
                create or replace view {{ relation }} {{ options }} as (
                    {{ text }}
                );
            exception when invalid_table_definition then
                drop view {{ relation }} cascade;
                create view {{ relation }} {{ options }} as (
                    {{ text }}
                );
            end;
        end if;
        drop view pg_temp.deployed_{{ relation.identifier }};
    end
    $deploy$
{%- endmacro %}

{# Truncating a seed would lock readers out, and leave those amid a transaction without its rows. #}
{% macro postgres__reset_csv_table(model, full_refresh, old_relation, agate_table) -%}
    {%- if full_refresh -%}
        {{ return(default__reset_csv_table(model, full_refresh, old_relation, agate_table)) }}
    {%- endif -%}
    {% call statement('reset_csv_table') -%}
        delete from {{ old_relation }}
    {%- endcall %}
    {{ return("delete from " ~ old_relation.render()) }}
{%- endmacro %}
