-- Grain: one row per line of an action plan, with its term read from what was printed and what is wrong with it.
with lines as (

    select * from {{ ref('stg_reducing_offending_action_plan') }}

),

dated as (

    select
        lines.*,
        {{ quarter_start('lines.reporting_quarter') }} as quarter_start
    from lines

),

final as (

    select
        load_id,
        sheet,
        line_number,
        action_number,
        'framework_2015.' || lpad(action_number::text, 3, '0') as action_key,
        reporting_quarter,
        quarter_start,
        (quarter_start + interval '3 months' - interval '1 day')::date as quarter_end,
        theme,
        reference,
        action_label,
        due_year,
        substring(upper(trim(term_read)) from '^([SML])( C/F)?$') as term,
        term_printed,
        coalesce(upper(trim(term_read)) like '% C/F', false) as is_carried_forward,
        upper(trim(rag)) as rag,
        coalesce(has_evidence, false) as has_evidence,
        nullif(trim(lead), '') is not null as has_lead,
        nullif(
            concat_ws(
                '; ',
                case when term_correction_reason is not null then 'term printed as ' || term_printed || ', read as ' || term_read end,
                case when not coalesce(has_evidence, false) then 'no evidence given' end,
                case when nullif(trim(lead), '') is null then 'no responsible lead named' end,
                case
                    when carried_forward_as_sent <> (coalesce(upper(trim(term_read)) like '% C/F', false))
                        then 'carried forward is marked one way and printed in the term the other'
                end
            ),
            ''
        ) as findings
    from dated

)

select * from final
