{# Who may select from a relation. What a partner's login may is said once for each, in `meta: {partners_see: ...}`:
   own, the rows that its returns brought in; all, of what is nobody's secret; none. #}
{% macro postgres__apply_grants(relation, grant_config, should_revoke=True) %}
    {%- set grants = dict(grant_config or {}) -%}
    {%- if partners_see() in ('own', 'all') -%}
        {%- do grants.update({'select': (grants.get('select') or []) + ['quarterday_partner']}) -%}
    {%- endif -%}
    {{ return(dbt.default__apply_grants(relation, grants, should_revoke)) }}
{% endmacro %}

{# While dbt reads the project, no model has its settings yet. #}
{% macro partners_see() %}
    {%- set meta = config.get('meta') -%}
    {%- do return(meta.get('partners_see', 'none') if meta is mapping else 'none') -%}
{% endmacro %}

{# Row security of a fact of which partners see their own rows: those of their loads. The loads are found once for each
   statement. The builder, who owns the fact, is asked nothing, and others see all: see 095_readers.sql. In the transaction
   that makes the fact, so that there is no moment without. #}
{% macro guard_rows() %}
    {%- if partners_see() == 'own' -%}
    do $guard$
    begin
        if not exists (
            select 1 from pg_policy
            where polrelid = '{{ this }}'::regclass and polname = 'partners_see_their_own'
        ) then
            -- Of a fact that readers read already: better to stop the deployment than to have others queue behind it.
            perform set_config('lock_timeout', '5s', true);
            alter table {{ this }} enable row level security;
            create policy others_see_all on {{ this }} to quarterday_loader, quarterday_reader using (true);
            create policy partners_see_their_own on {{ this }} for select to quarterday_partner
                using (load_id = any((select ledger.loads_of_session())::bigint[]));
        end if;
    end
    $guard$
    {%- endif -%}
{% endmacro %}
