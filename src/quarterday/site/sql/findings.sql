-- Grain: one row per action, reporting quarter and rule of the plan that its line breaks. What a cell held that was corrected
-- is not shown.
select
    findings.period_key,
    findings.action_key,
    findings.action_label,
    findings.rag,
    case
        when findings.rule_code = 'term_corrected' then 'its term is read otherwise than it was printed'
        else findings.finding
    end as finding,
    findings.remedy,
    findings.load_id,
    findings.sheet,
    findings.line_number
from mart.rpt_action_finding as findings
order by findings.period_key, findings.rule_order, findings.line_number, findings.action_key
