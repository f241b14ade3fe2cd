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

{% macro deploy_view(relation, sql) -%}
    {%- set options = 'with (security_invoker = true)' if config.get('meta', {}).get('security_invoker') else '' -%}
    {% if config.get('contract').enforced %}{{ get_assert_columns_equivalent(sql) }}{% endif %}
    set local lock_timeout = '5s';
    do $deploy$
    begin
        create temporary view deployed_{{ relation.identifier }} as (
            {{ sql }}
        );
        if pg_get_viewdef('pg_temp.deployed_{{ relation.identifier }}'::regclass)
            is distinct from pg_get_viewdef(to_regclass('{{ relation.schema }}.{{ relation.identifier }}'))
            or {{ "not " if options }}coalesce('security_invoker=true' = any((
                select reloptions from pg_class where oid = to_regclass('{{ relation.schema }}.{{ relation.identifier }}')
            )::text[]), false)
        then
            begin
                create or replace view {{ relation }} {{ options }} as (
                    {{ sql }}
                );
            exception when invalid_table_definition then
                drop view {{ relation }} cascade;
                create view {{ relation }} {{ options }} as (
                    {{ sql }}
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
