-- Grain: one row per line of an action plan, with its term read from what was printed and what is wrong with it by action_rules.
with lines as (

    select * from {{ ref('stg_reducing_offending_action_plan') }}

),

rules as (

    select * from {{ ref('action_rules') }}

),

terms as (

    select * from {{ ref('terms') }}

),

frameworks as (

    select * from {{ ref('frameworks') }}

),

quarters as (

    select
        lines.*,
        {{ quarter_start('lines.reporting_quarter') }} as quarter_start
    from lines

),

typed as (

    select
        quarters.load_id,
        quarters.sheet,
        quarters.line_number,
        quarters.action_number,
        -- A refreshed framework numbers its actions anew.
        frameworks.framework_code || '.' || lpad(quarters.action_number::text, 3, '0') as action_key,
        quarters.reporting_quarter,
        quarters.quarter_start,
        (quarters.quarter_start + interval '3 months' - interval '1 day')::date as quarter_end,
        quarters.theme,
        quarters.reference,
        quarters.action_label,
        quarters.due_year,
        substring(upper(trim(quarters.term_read)) from '^([SML])( C/F)?$') as term,
        quarters.term_printed,
        quarters.term_read,
        quarters.term_correction_reason,
        coalesce(upper(trim(quarters.term_read)) like '% C/F', false) as is_carried_forward,
        quarters.carried_forward_as_sent,
        upper(trim(quarters.rag)) as rag,
        coalesce(quarters.has_evidence, false) as has_evidence,
        nullif(trim(quarters.lead), '') is not null as has_lead
    from quarters
    left join frameworks
        on quarters.quarter_start between frameworks.valid_from and coalesce(frameworks.valid_to, 'infinity')

),

-- Due by the end of the year that the line gives, or else of its term's.
dated as (

    select
        typed.*,
        make_date(left(coalesce(nullif(trim(typed.due_year), ''), terms.financial_year), 4)::integer + 1, 3, 31) as due_on
    from typed
    left join terms on typed.term = terms.term

),

found as (

    select
        dated.load_id,
        dated.sheet,
        dated.line_number,
        string_agg(rules.rule_code, ',' order by rules.rule_order) as finding_codes,
        string_agg(
            replace(replace(rules.finding, '{printed}', dated.term_printed), '{read}', dated.term_read),
            '; ' order by rules.rule_order
        ) as findings
    from dated
    inner join rules on strpos(rules.applies_to_rag, dated.rag) > 0
    where not case rules.requires
        when 'term_as_printed' then dated.term_correction_reason is null
        when 'evidence' then dated.has_evidence
        when 'lead' then dated.has_lead
        when 'due_date' then dated.due_on is not null
        when 'in_time_or_carried_forward' then dated.is_carried_forward or dated.due_on is null or dated.due_on >= dated.quarter_end
        when 'carried_forward_alike' then coalesce(dated.carried_forward_as_sent = dated.is_carried_forward, true)
    end
    group by dated.load_id, dated.sheet, dated.line_number

),

final as (

    select
        dated.load_id,
        dated.sheet,
        dated.line_number,
        dated.action_number,
        dated.action_key,
        dated.reporting_quarter,
        dated.quarter_start,
        dated.quarter_end,
        dated.theme,
        dated.reference,
        dated.action_label,
        dated.due_year,
        dated.due_on,
        dated.term,
        dated.term_printed,
        dated.is_carried_forward,
        dated.rag,
        dated.has_evidence,
        dated.has_lead,
        found.finding_codes,
        found.findings
    from dated
    left join found
        on dated.load_id = found.load_id
        and dated.sheet = found.sheet
        and dated.line_number = found.line_number

)

select * from final
